package cib_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func TestRecordedMon(t *testing.T) {
	mon := recordedMon(t, "start-failed")
	want := cib.MonDC{Present: true, Name: "node1", Quorum: true}
	if mon.DC != want || mon.Options.Fencing {
		t.Errorf("%+v, fencing %v; want %+v without", mon.DC, mon.Options.Fencing, want)
	}
	node := cib.MonNode{ID: "3", Name: "node2", Online: true, Type: "member", Running: 1}
	if len(mon.Nodes) != 3 || mon.Nodes[2] != node {
		t.Errorf("%+v, want the third to be %+v", mon.Nodes, node)
	}
	failure := cib.MonFailure{Key: "service-bad_start_0", Node: "node2", Status: "error", Code: 1, Call: 16, State: "complete",
		Reason: "exited with status 3 after 4ms; it last printed: no world to load", Task: "start", When: "2026-11-24 10:31:52Z", Took: 62}
	if len(mon.Failures) != 3 || mon.Failures[0] != failure {
		t.Errorf("%+v, want the first to be %+v", mon.Failures, failure)
	}
	if unclean := recordedMon(t, "unclean"); !unclean.Options.Fencing {
		t.Error("fencing is on, and not seen")
	}
	if lost := recordedMon(t, "no-dc"); lost.DC != (cib.MonDC{}) {
		t.Errorf("a DC where there is none: %+v", lost.DC)
	}
	if lost := recordedMon(t, "no-quorum"); lost.DC.Quorum || lost.DC.Name != "node0" {
		t.Errorf("%+v, want node0 without quorum", lost.DC)
	}
}

func TestParseMonFaults(t *testing.T) {
	whole := recorded(t, "mon-running")
	for name, text := range map[string][]byte{
		"nothing": nil, "cut off": whole[:len(whole)-10], "another document": recorded(t, "resources-running"),
		"prose":            []byte("crm_mon: Connection to cluster failed: Connection refused\n"),
		"no boolean":       []byte(`<pacemaker-result><nodes><node online="perhaps"/></nodes></pacemaker-result>`),
		"an empty element": []byte(`<cib/>`),
	} {
		if mon, err := cib.ParseMon(text); err == nil {
			t.Errorf("%s is read as %+v", name, mon)
		}
	}
}

func TestNodeStates(t *testing.T) {
	const online, offline = cluster.Online, cluster.Offline
	for name, want := range map[string][3]cluster.NodeState{
		"running":     {online, online, online},
		"standby":     {online, online, cluster.Standby},
		"node-killed": {online, online, offline},
		"unclean":     {online, online, cluster.Unclean},
		"no-quorum":   {online, offline, offline},
		"no-dc":       {offline, offline, offline},
		"down":        {online, online, offline},
	} {
		mon := recordedMon(t, name)
		var got [3]cluster.NodeState
		for i := range got {
			node := fmt.Sprintf("node%d", i)
			got[i] = mon.NodeState(node)
		}
		if got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if state := mon.NodeState("node9"); state != offline {
			t.Errorf("%s: nobody is %s", name, state)
		}
	}
	mon := cib.Mon{Nodes: []cib.MonNode{{Name: "joins", Online: true, Pending: true},
		{Name: "lost", Online: true, Pending: true, Unclean: true}, {Name: "waits", Standby: true}}}
	for node, want := range map[string]cluster.NodeState{"joins": cluster.Pending, "lost": cluster.Unclean, "waits": offline} {
		if got := mon.NodeState(node); got != want {
			t.Errorf("%s: %s, want %s", node, got, want)
		}
	}
}

func TestNodeName(t *testing.T) {
	mon := recordedMon(t, "running")
	for id, want := range map[string]string{"1": "node0", "3": "node2", "": "", "4": ""} {
		if got := mon.NodeName(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

func TestResource(t *testing.T) {
	mon := recordedMon(t, "orphan")
	want := cib.MonResource{ID: "service-stubborn", Role: "Stopping", Active: true, Orphan: true, Nodes: []cib.MonRunning{{Name: "node0"}}}
	got, ok := mon.Resource("stubborn")
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Error(ok, diff)
	}
	if got, ok := mon.Resource("stub"); ok {
		t.Errorf("found %+v", got)
	}
	if got, _ := recordedMon(t, "orphan-blocked").Resource("stuck"); !got.Blocked || !got.Active || !got.Orphan {
		t.Errorf("%+v is not a blocked orphan", got)
	}
}

func TestStartedAs(t *testing.T) {
	mon := recordedMon(t, "restarted")
	for id, want := range map[string]string{
		"run": "node0/6", "pinned": "node2/10", "once": "node0/22",
		"bad":  "", // started everywhere, and runs nowhere
		"none": "",
	} {
		if got := mon.StartedAs(id); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	// A clean-up makes Pacemaker forget that it started a service.
	mon.History = nil
	if got := mon.StartedAs("run"); got != "" {
		t.Errorf("%q though no start is known", got)
	}
}

func TestLastFailure(t *testing.T) {
	mon := recordedMon(t, "restarted")
	for id, want := range map[string]string{
		"stay": "monitor on node1: was killed by signal KILL (9) after 431ms",
		"bad":  "start on node0: exited with status 3 after 5ms; it last printed: no world to load",
	} {
		if got, ok := mon.LastFailure(id); !ok || got.String() != want {
			t.Errorf("%s: %s (%v), want %s", id, got, ok, want)
		}
	}
	if got, ok := mon.LastFailure("run"); ok {
		t.Errorf("%s", got)
	}
}

func TestReasonIsEscapedTwice(t *testing.T) {
	got, _ := recordedMon(t, "reason-quoted").LastFailure("q")
	if want := `binary "/etc/passwd" is not executable`; got.Reason != want {
		t.Errorf("%s, want %s", got.Reason, want)
	}
}

// TestLastFailureOfSimilarIDs has ids that begin alike, and end like a key.
func TestLastFailureOfSimilarIDs(t *testing.T) {
	failure := func(key, task string) cib.MonFailure {
		return cib.MonFailure{Key: key, Task: task, When: "2"}
	}
	mon := cib.Mon{Failures: []cib.MonFailure{
		{Key: "service-a_start_0", Task: "start", When: "1"},
		failure("service-a_start_start_0", "start"), failure("service-a_start_0_start_0", "start"),
		failure("service-ab_start_0", "start"), failure("service-a_monitor_monitor_1000", "monitor"),
	}}
	for id, want := range map[string]string{
		"a": "service-a_start_0", "a_start": "service-a_start_start_0", "a_start_0": "service-a_start_0_start_0",
		"ab": "service-ab_start_0", "a_monitor": "service-a_monitor_monitor_1000", "b": "",
	} {
		if got, ok := mon.LastFailure(id); got.Key != want || ok != (want != "") {
			t.Errorf("%s: %s, want %s", id, got.Key, want)
		}
	}
}

func TestNewestFailure(t *testing.T) {
	older := cib.MonFailure{Key: "service-a_start_0", Task: "start", When: "2026-11-24 10:31:52Z", Node: "node0"}
	newer := cib.MonFailure{Key: "service-a_monitor_1000", Task: "monitor", When: "2026-11-24 10:31:53Z", Node: "node1"}
	for _, failures := range [][]cib.MonFailure{{older, newer}, {newer, older}} {
		if got, _ := (cib.Mon{Failures: failures}).LastFailure("a"); got != newer {
			t.Errorf("%+v is not the newest of %+v", got, failures)
		}
	}
}

func TestFailureText(t *testing.T) {
	for want, failure := range map[string]cib.MonFailure{
		"start on node1: it rains":           {Task: "start", Node: "node1", Status: "error", State: "complete", Reason: "it rains"},
		"start on node1: not installed":      {Task: "start", Node: "node1", Status: "not installed", State: "complete"},
		"start on node1: Timed Out":          {Task: "start", Node: "node1", Status: "error", State: "Timed Out"},
		"start on node1: Timed Out it rains": {Task: "start", Node: "node1", Status: "error", State: "Timed Out", Reason: "it rains"},
	} {
		if got := failure.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzParseMon(f *testing.F) {
	seeds(f, "mon")
	primitive := newPrimitive(f, cluster.Service{ID: "run", Target: "any", Failover: true}, "node0", "node1", "node2")
	f.Fuzz(func(t *testing.T, text []byte) {
		mon, err := cib.ParseMon(text)
		if err != nil {
			if diff := cmp.Diff(cib.Mon{}, mon); diff != "" {
				t.Errorf("an error comes with %s", diff)
			}
			return
		}
		status, err := mon.ServiceStatus(primitive)
		if err != nil || status.State == "" || status.Failures < 0 {
			t.Errorf("%+v (%v)", status, err)
		}
		_ = mon.StartedAs("run")
	})
}
