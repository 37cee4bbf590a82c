package cib_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// What the recorded cluster said where its services run, and where not.
var (
	runs       = cluster.ServiceStatus{ID: "run", State: cluster.Running, Node: "node0", Target: "any", Failover: true}
	pinnedRuns = cluster.ServiceStatus{ID: "pinned", State: cluster.Running, Node: "node2", Target: "node2", Failover: true}
	stayFailed = cluster.ServiceStatus{ID: "stay", State: cluster.Failed, Target: "node1", Failures: 1,
		Reason: "monitor on node1: was killed by signal KILL (9) after 431ms"}
	onceRuns = cluster.ServiceStatus{ID: "once", State: cluster.Running, Node: "node0", Target: "node0", Failover: true, Failures: 1}
	badFails = cluster.ServiceStatus{ID: "bad", State: cluster.Failed, Target: "any", Failover: true, Failures: 3,
		Reason: "start on node0: exited with status 3 after 5ms; it last printed: no world to load"}
	slow = cluster.ServiceStatus{ID: "slow", Target: "node1", Failover: true}
)

const noQuorum = "the cluster has no quorum: more than half of the nodes must be online"

// with is a status in another state.
func with(s cluster.ServiceStatus, state cluster.ServiceState, node, reason string) cluster.ServiceStatus {
	s.State, s.Node, s.Reason = state, node, reason
	return s
}

func TestServiceStatus(t *testing.T) {
	for _, test := range []struct {
		mon, resources string
		want           []cluster.ServiceStatus
	}{
		{"running", "running", []cluster.ServiceStatus{runs, pinnedRuns}},
		{"starting", "starting", []cluster.ServiceStatus{with(slow, cluster.Starting, "node1", "")}},
		// Just created: crm_mon does not know it yet.
		{"empty", "starting", []cluster.ServiceStatus{with(slow, cluster.Starting, "", "")}},
		{"start-failed", "start-failed", []cluster.ServiceStatus{runs, pinnedRuns, badFails}},
		{"monitor-failed", "monitor-failed", []cluster.ServiceStatus{runs, pinnedRuns, badFails, stayFailed}},
		{"restarted", "restarted", []cluster.ServiceStatus{runs, pinnedRuns, badFails, stayFailed, onceRuns}},
		{"orphan", "four", []cluster.ServiceStatus{runs, pinnedRuns, stayFailed, onceRuns}},
		{"standby", "four", []cluster.ServiceStatus{runs,
			with(pinnedRuns, cluster.Stopped, "", "waits for node2, which is standby"), stayFailed, onceRuns}},
		{"node-killed", "four", []cluster.ServiceStatus{runs,
			with(pinnedRuns, cluster.Stopped, "", "waits for node2, which is offline"), stayFailed, onceRuns}},
		{"no-quorum", "four", []cluster.ServiceStatus{with(runs, cluster.Stopped, "", noQuorum),
			with(pinnedRuns, cluster.Stopped, "", "waits for node2, which is offline"),
			{ID: "stay", State: cluster.Stopped, Target: "node1", Reason: "waits for node1, which is offline"},
			with(onceRuns, cluster.Stopped, "", noQuorum)}},
		{"no-dc", "running", []cluster.ServiceStatus{
			with(runs, cluster.Stopped, "", "waits for one of node0, node1, node2: none is online"),
			with(pinnedRuns, cluster.Stopped, "", "waits for node2, which is offline")}},
		{"blocked", "blocked", []cluster.ServiceStatus{onceRuns, {ID: "stuck", State: cluster.Failed, Node: "node1",
			Target: "node1", Failover: true, Failures: 1, Reason: "stop on node1: Child process was unable to execute file"}}},
	} {
		t.Run(test.mon, func(t *testing.T) {
			mon := recordedMon(t, test.mon)
			var got []cluster.ServiceStatus
			for _, primitive := range recordedResources(t, test.resources).Primitives {
				status, err := mon.ServiceStatus(primitive)
				if err != nil {
					t.Fatal(err)
				}
				if run := mon.StartedAs(status.ID); status.Run != run {
					t.Errorf("%s is run %q, not %q", status.ID, status.Run, run)
				}
				status.Run = ""
				got = append(got, status)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestServiceStatusOfRemovedNode: a service is not said to wait for a node that
// will never come back.
func TestServiceStatusOfRemovedNode(t *testing.T) {
	const alone = "node2, on which alone it may run, is no longer part of the cluster: " +
		"remove the service, and add it with another target"
	for _, test := range []struct {
		name, mon string
		gone      []string
		want      map[string]string // reasons by id
	}{
		{"one", "node-killed", []string{"node2"}, map[string]string{"pinned": alone}},
		{"all but one that is off", "node-killed", []string{"node0", "node1"}, map[string]string{
			"pinned": "waits for node2, which is offline", "run": "waits for node2, which is offline"}},
		{"all", "node-killed", []string{"node0", "node1", "node2"}, map[string]string{"pinned": alone,
			"run": "of node0, node1, node2, on which it may run, none is part of the cluster any more: " +
				"remove the service, and add it again"}},
		// Without a DC a node knows little.
		{"nobody decides", "no-dc", []string{"node2"}, map[string]string{"pinned": "waits for node2, which is offline"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			mon := recordedMon(t, test.mon)
			mon.Nodes = slices.DeleteFunc(mon.Nodes, func(n cib.MonNode) bool { return slices.Contains(test.gone, n.Name) })
			mon.Resources, mon.History = nil, nil
			for id, want := range test.want {
				primitive, _ := recordedResources(t, "four").Find(id)
				status, err := mon.ServiceStatus(primitive)
				if err != nil || status.State != cluster.Stopped || status.Reason != want {
					t.Errorf("%s is %s: %s (%v), want %s", id, status.State, status.Reason, err, want)
				}
			}
		})
	}
}

func TestServiceStatusOfForeign(t *testing.T) {
	if status, err := (cib.Mon{}).ServiceStatus(cib.Primitive{ID: "fence"}); err == nil {
		t.Errorf("it is %+v", status)
	}
}

// TestExhausted goes through what decides whether a service that is nowhere
// will be started again. Two nodes are online, and node2 is off.
func TestExhausted(t *testing.T) {
	const threshold = "3"
	for _, test := range []struct {
		name     string
		counts   map[string]string // by node
		failover bool
		nodes    []string
		want     cluster.ServiceState
		failures int
		reason   string
	}{
		{"never failed", nil, true, []string{"node0", "node1"}, cluster.Starting, 0, ""},
		{"below the threshold", map[string]string{"node0": "2"}, true, []string{"node0"}, cluster.Starting, 2, ""},
		{"at the threshold", map[string]string{"node0": "3"}, true, []string{"node0"}, cluster.Failed, 3, "failed"},
		{"one is left", map[string]string{"node0": "3"}, true, []string{"node0", "node1"}, cluster.Starting, 3, ""},
		{"both are used up", map[string]string{"node0": "INFINITY", "node1": "3"}, true, []string{"node0", "node1"}, cluster.Failed, 4, "failed"},
		{"stays where it died", map[string]string{"node0": "1"}, false, []string{"node0"}, cluster.Failed, 1, "failed"},
		{"used up, and one is away", map[string]string{"node0": "1000000"}, true, []string{"node0", "node2"}, cluster.Failed, 1, "failed"},
		{"away", map[string]string{"node2": "1"}, true, []string{"node2"}, cluster.Stopped, 1, "away"},
		{"not a number", map[string]string{"node0": "many"}, true, []string{"node0"}, cluster.Starting, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			mon := cib.Mon{DC: cib.MonDC{Quorum: true}, Nodes: []cib.MonNode{{Name: "node0", Online: true}, {Name: "node1", Online: true}}}
			for node, count := range test.counts {
				mon.History = append(mon.History, cib.MonHistory{Node: node, Resources: []cib.MonResourceHistory{
					{ID: "service-other", FailCount: "3", Threshold: threshold}, {ID: "service-a", FailCount: count, Threshold: threshold}}})
			}
			reason := map[string]string{"failed": "it failed on every node that may run it", "away": "waits for node2, which is offline"}
			want := cluster.ServiceStatus{ID: "a", Target: "any", Failover: test.failover, State: test.want,
				Failures: test.failures, Reason: reason[test.reason]}
			got, err := mon.ServiceStatus(newPrimitive(t, cluster.Service{ID: "a", Target: "any", Failover: test.failover}, test.nodes...))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

// TestRunningNeedsMoreThanActive lists what crm_mon calls active.
func TestRunningNeedsMoreThanActive(t *testing.T) {
	primitive := newPrimitive(t, cluster.Service{ID: "a", Target: "node0"}, "node0")
	started := cib.MonResource{ID: "service-a", Role: "Started", Active: true, Nodes: []cib.MonRunning{{Name: "node0"}}}
	for name, test := range map[string]struct {
		alter func(*cib.MonResource)
		want  cluster.ServiceState
	}{
		"started":   {func(*cib.MonResource) {}, cluster.Running},
		"starting":  {func(r *cib.MonResource) { r.Role = "Starting" }, cluster.Starting},
		"stopping":  {func(r *cib.MonResource) { r.Role = "Stopping" }, cluster.Starting},
		"pending":   {func(r *cib.MonResource) { r.Pending = "Starting" }, cluster.Starting},
		"failed":    {func(r *cib.MonResource) { r.Failed = true }, cluster.Starting},
		"blocked":   {func(r *cib.MonResource) { r.Failed, r.Blocked = true, true }, cluster.Failed},
		"to start":  {func(r *cib.MonResource) { *r = cib.MonResource{ID: r.ID, Role: "Stopped", Pending: "Starting"} }, cluster.Starting},
		"elsewhere": {func(r *cib.MonResource) { r.ID = "service-ab" }, cluster.Stopped},
	} {
		resource := started
		test.alter(&resource)
		got, err := cib.Mon{Resources: []cib.MonResource{resource}}.ServiceStatus(primitive)
		if err != nil || got.State != test.want {
			t.Errorf("%s: %s (%v), want %s", name, got.State, err, test.want)
		}
	}
}

// TestLookedAt: a service that is only looked at runs meanwhile.
func TestLookedAt(t *testing.T) {
	for pending, want := range map[string]cluster.ServiceState{
		"": cluster.Running, "Monitoring": cluster.Running, "Stopping": cluster.Starting,
	} {
		mon := recordedMon(t, "running")
		for i := range mon.Resources {
			mon.Resources[i].Pending = pending
		}
		primitive, _ := recordedResources(t, "running").Find("run")
		status, err := mon.ServiceStatus(primitive)
		if err != nil || status.State != want {
			t.Errorf("%q: %s (%v), want %s", pending, status.State, err, want)
		}
	}
}

func TestLastFenced(t *testing.T) {
	mon, err := cib.ParseMon([]byte(`<pacemaker-result>
  <fence_history>
    <fence_event action="reboot" target="node2" client="pacemaker-controld.399" origin="node0" status="pending"/>
    <fence_event action="reboot" target="node1" client="pacemaker-controld.399" origin="node0" status="failed" delegate="node0" completed="2026-11-24 15:25:53Z"/>
    <fence_event action="reboot" target="node1" client="pacemaker-controld.399" origin="node0" status="success" delegate="node0" completed="2026-11-24 15:24:20Z"/>
    <fence_event action="reboot" target="node1" client="pacemaker-controld.399" origin="node0" status="success" delegate="node0" completed="2026-11-24 15:23:19Z"/>
  </fence_history>
</pacemaker-result>`))
	if err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]string{"node0": "", "node1": "2026-11-24 15:24:20Z", "node2": ""} {
		if got := mon.LastFenced(node); got != want {
			t.Errorf("%s was fenced at %q, not %q", node, got, want)
		}
	}
}

func TestFenceFault(t *testing.T) {
	fence := func(resource cib.MonResource) cib.Mon {
		resource.ID = cib.FenceID("a")
		return cib.Mon{Resources: []cib.MonResource{{ID: "fencing-b", Active: true}, resource}}
	}
	failed := fence(cib.MonResource{})
	failed.Failures = []cib.MonFailure{{Key: "fencing-b_start_0", Task: "start", Reason: "of another"}, {Key: "fencing-a_start_0", Task: "start", Reason: "wrong password"}}
	for _, test := range []struct {
		name string
		mon  cib.Mon
		want string
	}{
		{"works", fence(cib.MonResource{Active: true}), ""},
		{"missing", cib.Mon{}, "the cluster does not have it"},
		{"stopped", fence(cib.MonResource{}), "it is not started"},
		{"failed", failed, "wrong password"},
	} {
		if got := test.mon.FenceFault("a"); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: %q, not %q", test.name, got, test.want)
		}
	}
}
