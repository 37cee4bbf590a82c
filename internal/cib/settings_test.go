package cib_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func testSettings() cib.Settings {
	return cib.Settings{
		Size:    4,
		Pair:    [2]string{"node0", "node2"},
		Past:    cluster.Past{Used: 6, Removed: []int{1, 4}},
		Remotes: []cib.RemoteNode{{Name: "node3", Address: "10.0.0.4"}},
		Fences:  []cib.FenceDevice{{Agent: "fence_sirikata", Parameters: map[string]string{"url": "http://10.0.0.2:1"}}},
	}
}

func TestFragment(t *testing.T) {
	got, err := testSettings().Fragment()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "settings.golden", append(got, 10))
}

// TestFragmentBySize: a large cluster does not keep what its scheduler is asked.
func TestFragmentBySize(t *testing.T) {
	for _, test := range []struct {
		size int
		want bool
	}{{7, false}, {8, true}} {
		text, err := cib.Settings{Size: test.size}.Fragment()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), `name="pe-input-series-max" value="0"`); got != test.want {
			t.Errorf("%d nodes: %v\n%s", test.size, got, text)
		}
	}
}

// TestDelays: the entry of a node is the first one that its name begins with
// (Pacemaker 2.1.5, get_action_delay_base).
func TestDelays(t *testing.T) {
	for pair, want := range map[[2]string]string{
		{}:                  "-:0s",
		{"node0", "node1"}:  "node0:3s;node1:0s",
		{"node1", "node10"}: "node10:0s;node1:3s",
		{"node10", "node2"}: "node10:3s;node2:0s",
	} {
		text, err := cib.Settings{Pair: pair, Fences: []cib.FenceDevice{{Agent: "a"}}}.Fragment()
		if err != nil || !strings.Contains(string(text), `name="pcmk_delay_base" value="`+want+`"`) {
			t.Errorf("%v: not %s in (%v)\n%s", pair, want, err, text)
		}
	}
}

// TestLacks: what is there already is not written again, and anything that
// differs is.
func TestLacks(t *testing.T) {
	wanted, err := testSettings().Fragment()
	if err != nil {
		t.Fatal(err)
	}
	whole := string(wanted)
	for _, test := range []struct {
		name string
		have string
		want bool
	}{
		{"nothing", "<configuration/>", true},
		{"all of it, and more", strings.Replace(whole, "<resources>", `<resources><primitive id="service-a"/>`, 1), false},
		{"attributes in another order", strings.Replace(whole, `id="node3" class="ocf"`, `class="ocf" id="node3"`, 1), false},
		{"another address", strings.Replace(whole, "10.0.0.4", "10.0.0.5", 1), true},
		{"no fencing", strings.Replace(whole, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`, 1), true},
	} {
		got, err := cib.Lacks([]byte(test.have), wanted)
		if err != nil || got != test.want {
			t.Errorf("%s: %v (%v)", test.name, got, err)
		}
	}
	if _, err := cib.Lacks([]byte("<configuration>"), wanted); err == nil {
		t.Error("a configuration that is cut off is believed")
	}
}

// TestRemoteStates: crm_mon calls a remote node online while the cluster is
// about to connect to it, dead or not.
func TestRemoteStates(t *testing.T) {
	for name, want := range map[string]string{"remote-connecting": "offline", "remote-lost": "offline"} {
		mon := recordedMon(t, name)
		if got := mon.NodeState("node4"); string(got) != want {
			t.Errorf("%s: node4 is %s, want %s", name, got, want)
		}
		if got := mon.NodeState("node3"); got != "online" {
			t.Errorf("%s: node3 is %s", name, got)
		}
		if role, known := mon.NodeRole("node3"); role != "remote" || !known {
			t.Errorf("%s: node3 is %s (%v)", name, role, known)
		}
		if role, known := mon.NodeRole("node0"); role != "full" || !known {
			t.Errorf("%s: node0 is %s (%v)", name, role, known)
		}
	}
}

// TestFenceOfOne: a device for one node switches no other off.
func TestFenceOfOne(t *testing.T) {
	text, err := cib.Settings{Fences: []cib.FenceDevice{
		{Node: "a", Agent: "fence_x", Parameters: map[string]string{"plug": "1"}}, {Node: "b", Agent: "fence_x"},
	}}.Fragment()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`name="stonith-enabled" value="true"`, `<primitive id="fencing-a" class="stonith" type="fence_x">`,
		`id="parameters-pcmk_host_list-fencing-a" name="pcmk_host_list" value="a"`, `id="parameters-plug-fencing-a" name="plug" value="1"`,
		`id="parameters-pcmk_host_check-fencing-b" name="pcmk_host_check" value="static-list"`, `name="pcmk_host_list" value="b"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("not %s in\n%s", want, text)
		}
	}
}

// TestFragmentWithWatchdogs has no resource that fences.
func TestFragmentWithWatchdogs(t *testing.T) {
	got, err := cib.Settings{Size: 3, WatchdogWait: 10 * time.Second}.Fragment()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "settings-watchdogs.golden", append(got, '\n'))
}
