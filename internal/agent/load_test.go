package agent

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestMeasure: of two looks it is the difference that counts, and of links those
// that did not begin anew.
func TestMeasure(t *testing.T) {
	looks := []map[int]usage{
		{7: {"corosync", 10 * time.Second, 100 * time.Second}, 8: {"pacemakerd", 0, 50 * time.Second}, 9: {"old", 0, time.Second}},
		{7: {"corosync", 10*time.Second + 30*time.Millisecond, 200 * time.Second}, 8: {"pacemakerd", 0, 50 * time.Second}, 9: {"new", 0, time.Second}, 10: {"new", 0, time.Second}},
	}
	stats := []counters{
		{"stats.knet.node1.link0.tx_total_bytes": "1000", "stats.knet.node2.link0.rx_total_bytes": "5000", "stats.srp.mcast_retx": "4"},
		{"stats.knet.node1.link0.tx_total_bytes": "3000", "stats.knet.node2.link0.rx_total_bytes": "10",
			"stats.knet.handle.tx_crypt_packets": "99", "stats.srp.mcast_retx": "5"},
	}
	const window = 60 * time.Millisecond
	looked, asked := 0, 0
	m := meter{
		daemons: func() (map[int]usage, error) { looked++; return looks[looked-1], nil },
		corosync: func(_ context.Context, args ...string) counters {
			if args[0] == "nodelist." {
				return counters{"nodelist.node.1.name": "node2", "nodelist.node.0.name": "node0", "nodelist.node.0.nodeid": "1"}
			}
			asked++
			return stats[asked-1]
		},
		pause: func(d time.Duration) {
			if d != window {
				t.Errorf("paused for %v", d)
			}
			time.Sleep(d)
		},
	}
	load, err := m.measure(t.Context(), window)
	if err != nil || load.Seconds < window.Seconds() {
		t.Fatalf("%+v (%v)", load, err)
	}
	want := cluster.Load{Seconds: load.Seconds,
		Daemons: []cluster.DaemonLoad{
			{Name: "corosync", Now: 0.03 / load.Seconds, Mean: 10.03 / 200, AgeSeconds: 200},
			{Name: "pacemakerd", AgeSeconds: 50},
		},
		Corosync: &cluster.CorosyncLoad{Votes: []string{"node0", "node2"},
			BytesPerSecond: 2000 / load.Seconds, RetransmitsPerSecond: 1 / load.Seconds},
	}
	if diff := cmp.Diff(want, load, cmpopts.EquateApprox(1e-6, 0)); diff != "" {
		t.Error(diff)
	}
}

// TestMeasureRemote: a remote node has no Corosync.
func TestMeasureRemote(t *testing.T) {
	m := meter{
		daemons:  func() (map[int]usage, error) { return map[int]usage{}, nil },
		corosync: func(context.Context, ...string) counters { return nil },
		pause:    func(time.Duration) {},
	}
	load, err := m.measure(t.Context(), defaultWindow)
	if err != nil || load.Corosync != nil || load.Daemons == nil {
		t.Errorf("%+v (%v)", load, err)
	}
}

func TestParseUsage(t *testing.T) {
	const line = "4592 (pacemaker-(x) y) S 4556 4556 16516 0 -1 4194304 102 0 0 0 150 25 0 0 20 0 1 0 3039350 3133440 416 184"
	got, ok := parseUsage(line, 30400*time.Second)
	if want := (usage{"pacemaker-(x) y", 1750 * time.Millisecond, 6500 * time.Millisecond}); !ok || got != want {
		t.Errorf("%+v, %v, want %+v", got, ok, want)
	}
	for _, text := range []string{"", "1 (x) S 1 2", strings.Replace(line, "150", "much", 1)} {
		if got, ok := parseUsage(text, 0); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

// TestReadDaemons reads this machine's processes, of which none need be of a
// cluster.
func TestReadDaemons(t *testing.T) {
	found, err := readDaemons()
	if err != nil {
		t.Fatal(err)
	}
	for pid, u := range found {
		if u.age <= 0 || u.cpu < 0 {
			t.Errorf("process %d: %+v", pid, u)
		}
	}
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	up, err := parseUptime(string(content))
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := parseUsage(string(text), up); !ok || u.age < 0 || u.age > 10*time.Minute || u.cpu > 10*time.Minute {
		t.Errorf("this test: %+v, %v", u, ok)
	}
}

func TestLoadArguments(t *testing.T) {
	for _, test := range []struct {
		args []string
		want time.Duration
		err  string
	}{
		{nil, defaultWindow, ""},
		{[]string{"2s"}, 2 * time.Second, ""},
		{[]string{"49ms"}, 0, `"49ms" is not a time to measure: use 50ms to 1m0s`},
		{[]string{"2m"}, 0, `"2m" is not a time to measure: use 50ms to 1m0s`},
		{[]string{"now"}, 0, `"now" is not a time to measure: use 50ms to 1m0s`},
		{[]string{"1s", "2s"}, 0, "it takes one time to measure at most"},
	} {
		got, err := parseWindow(test.args)
		if got != test.want || (err != nil) != (test.err != "") || err != nil && err.Error() != test.err {
			t.Errorf("%v: %v (%v), want %v (%s)", test.args, got, err, test.want, test.err)
		}
	}
}
