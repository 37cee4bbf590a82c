package drill

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

// pair is a cluster of two nodes and one service.
var pair = Cluster{Nodes: []Node{{"node0", cluster.Full}, {"node1", cluster.Remote}}, Services: []string{"s"}}

// said is what status says of pair when all is well.
func said() cluster.Status {
	return cluster.Status{
		Quorate: true,
		Nodes: []cluster.Node{
			{Name: "node0", State: cluster.Online, Role: cluster.Full},
			{Name: "node1", State: cluster.Online, Role: cluster.Remote},
		},
		Services: []cluster.ServiceStatus{{ID: "s", State: cluster.Running, Node: "node1"}},
	}
}

// process is one that worked without interruption, in seconds.
func process(id, node string, from, to float64) referee.Incarnation {
	return referee.Incarnation{ID: id, Service: "s", Node: node, Beats: 2, Stretches: []referee.Stretch{{From: seconds(from), To: seconds(to)}}}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func view(at float64, processes ...referee.Incarnation) referee.View {
	slices.SortFunc(processes, func(a, b referee.Incarnation) int { return cmp.Compare(a.First(), b.First()) })
	return referee.View{At: seconds(at), Incarnations: processes}
}

func TestMissing(t *testing.T) {
	works := view(100, process("A", "node1", 0, 100))
	for name, line := range map[string]struct {
		change func(*cluster.Status)
		view   referee.View
		want   string
	}{
		"all is well":  {nil, works, ""},
		"no quorum":    {func(s *cluster.Status) { s.Quorate = false }, works, "there is no quorum"},
		"fencing":      {func(s *cluster.Status) { s.Fencing = true }, works, "status says of fencing: true"},
		"warning":      {func(s *cluster.Status) { s.Warnings = []string{"one more"} }, works, "status warns: one more"},
		"offline":      {func(s *cluster.Status) { s.Nodes[0].State = cluster.Offline }, works, "node0 is offline, as a full node"},
		"another role": {func(s *cluster.Status) { s.Nodes[1].Role = cluster.Full }, works, "node1 is online, as a full node"},
		"node gone":    {func(s *cluster.Status) { s.Nodes = s.Nodes[:1] }, works, "status shows 1 nodes, not 2; status does not show node1"},
		"stopped": {func(s *cluster.Status) {
			s.Services[0] = cluster.ServiceStatus{ID: "s", State: cluster.Stopped, Reason: "why"}
		}, works, "s is stopped (why), and works on node1"},
		"unknown":       {func(s *cluster.Status) { s.Services = nil }, works, "s is not in status, and works on node1"},
		"silent":        {nil, view(100, process("A", "node1", 0, 99)), "s is running on node1, and works nowhere"},
		"elsewhere":     {nil, view(100, process("A", "node0", 0, 100)), "s is running on node1, and works on node0"},
		"two":           {nil, view(100, process("A", "node0", 0, 100), process("B", "node1", 50, 100)), "s is running on node1, and works on node0 and node1"},
		"two on a node": {nil, view(100, process("A", "node1", 0, 100), process("B", "node1", 50, 100)), "s is running on node1, and works on node1 and node1"},
		"an old one":    {nil, view(100, process("A", "node0", 0, 90), process("B", "node1", 91, 100)), ""},
	} {
		s := said()
		if line.change != nil {
			line.change(&s)
		}
		if got := strings.Join(pair.Missing(s, line.view), "; "); got != line.want {
			t.Errorf("%s: missing is %q, not %q", name, got, line.want)
		}
	}
}

func TestLies(t *testing.T) {
	stopped := func(s *cluster.Status) { s.Services[0].State, s.Services[0].Node = cluster.Stopped, "" }
	for name, line := range map[string]struct {
		first, last func(*cluster.Status) // what status said 13 s before, and now
		A           referee.Incarnation
		want        string
	}{
		"runs":                              {nil, nil, process("A", "node1", 0, 100), ""},
		"died a moment ago":                 {nil, nil, process("A", "node1", 0, 91), ""},
		"died long ago":                     {nil, nil, process("A", "node1", 0, 87), "status says that s runs on node1, and for more than 10s it has not worked there"},
		"died while we asked":               {nil, nil, process("A", "node1", 0, 89), ""},
		"runs elsewhere":                    {nil, nil, process("A", "node0", 0, 100), "status says that s runs on node1, and for more than 10s it has not worked there"},
		"stopped":                           {stopped, stopped, process("A", "node1", 0, 90), ""},
		"stopped, and started":              {stopped, stopped, process("A", "node1", 95, 100), ""},
		"stopped, and works":                {stopped, stopped, process("A", "node1", 80, 100), "status has said for more than 10s that s does not run (now: stopped), and it works on node1"},
		"stopped, and ended while we asked": {stopped, stopped, process("A", "node1", 80, 99), ""},
		"works, and is being stopped":       {nil, stopped, process("A", "node1", 80, 100), ""},
		"unknown":                           {nil, func(s *cluster.Status) { s.Services = nil }, process("A", "node1", 80, 100), "status does not know service s"},
	} {
		witness := &Witness{Services: pair.Services}
		then := view(85, process("B", "node1", 0, 85))
		got := append(lies(witness, line.first, then, then), lies(witness, line.last, view(98, line.A), view(100, line.A))...)
		if text := strings.Join(got, "; "); text != line.want {
			t.Errorf("%s: the lies are %q, not %q", name, text, line.want)
		}
	}
}

// TestDeniedAnew has status say between two denials that the service runs.
func TestDeniedAnew(t *testing.T) {
	stopped := func(s *cluster.Status) { s.Services[0].State = cluster.Stopped }
	witness := &Witness{Services: pair.Services}
	for at, change := range []func(*cluster.Status){0: stopped, 8: nil, 9: stopped, 18: stopped, 19: stopped, 20: nil} {
		if at > 0 && at < 8 || at > 9 && at < 18 {
			continue
		}
		v := view(100+float64(at), process("A", "node1", 0, 100+float64(at)))
		if got := lies(witness, change, v, v); len(got) > 0 {
			t.Errorf("after %d s: %v", at, got)
		}
	}
}

func lies(w *Witness, change func(*cluster.Status), before, after referee.View) []string {
	s := said()
	if change != nil {
		change(&s)
	}
	return w.Lies(s, before, after)
}

func TestRecoveries(t *testing.T) {
	frozen := referee.Incarnation{ID: "A", Service: "s", Node: "node0", Beats: 4,
		Stretches: []referee.Stretch{{From: 0, To: seconds(10)}, {From: seconds(18), To: seconds(19)}}}
	for name, line := range map[string]struct {
		view  referee.View
		times []float64
		want  float64
		over  bool
	}{
		"not hit":                            {view(100, process("A", "node0", 0, 100)), []float64{10, 15}, 0, true},
		"last beat is from just before":      {view(100, process("A", "node0", 0, 9.98), process("B", "node0", 10.5, 100)), []float64{5, 10}, 0.5, true},
		"killed":                             {view(100, process("A", "node0", 0, 10.1), process("B", "node0", 10.5, 100)), []float64{10}, 0.5, true},
		"moved after a while":                {view(100, process("A", "node0", 0, 12), process("B", "node1", 12.5, 100)), []float64{10, 18}, 2.5, true},
		"moved before the fault":             {view(100, process("A", "node0", 0, 5), process("B", "node1", 7, 100)), []float64{10}, 0, true},
		"stopped when the fault ended":       {view(100, process("A", "node0", 0, 18.5), process("B", "node1", 20, 100)), []float64{10, 18}, 2, true},
		"frozen, replaced, and both stopped": {view(100, frozen, process("B", "node1", 13, 19), process("C", "node1", 20, 100)), []float64{10, 18}, 3, true},
		"never back":                         {view(100, process("A", "node0", 0, 10)), []float64{10}, 90, false},
	} {
		var times []time.Duration
		for _, at := range line.times {
			times = append(times, seconds(at))
		}
		got := Recovery{Over: true}
		if all := pair.Recoveries(line.view, times); len(all) > 0 {
			got = all[0]
		}
		if (got.Took-seconds(line.want)).Abs() > time.Millisecond || got.Over != line.over {
			t.Errorf("%s: back after %v (%v), not %v s (%v)", name, got.Took, got.Over, line.want, line.over)
		}
	}
}

func TestTally(t *testing.T) {
	tally := Tally{Seed: 9, Faults: 3, Doubles: 1, Lost: 2}
	if got, want := tally.String(), "drill: 3 faults, leases held twice: 1, services lost: 2, slowest recovery: 0.0 s; seed 9"; got != want {
		t.Errorf("it is %q, not %q", got, want)
	}
	tally.Add(2, []Recovery{{"a", 2 * time.Second, true}, {"b", 3 * time.Second, true}, {"c", 90 * time.Second, false}})
	tally.Add(3, []Recovery{{"d", time.Second, true}})
	if got, want := tally.String(), "drill: 3 faults, leases held twice: 1, services lost: 2, slowest recovery: 3.0 s (b, fault 2); seed 9"; got != want {
		t.Errorf("it is %q, not %q", got, want)
	}
}
