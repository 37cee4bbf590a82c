package nodegroup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// threeNodes is a cluster that fences, with a service on each node. node0 is the
// DC.
func threeNodes() cluster.Status {
	status := cluster.Status{Cluster: "world", Quorate: true, DC: "node0", Fencing: true}
	for _, name := range []string{"node0", "node1", "node2"} {
		status.Nodes = append(status.Nodes, cluster.Node{Name: name, State: cluster.Online, Role: cluster.Full})
		status.Services = append(status.Services, cluster.ServiceStatus{ID: "of-" + name, State: cluster.Running,
			Node: name, Target: cluster.Any, Failover: true, Run: name + "/1"})
	}
	return status
}

// scene is one state after the fault, as a change of the first one.
type scene func(*cluster.Status)

func lost(s *cluster.Status) { s.Nodes[1].State = cluster.Unclean }

func fenced(s *cluster.Status) {
	s.Nodes[1].State, s.Nodes[1].LastFenced = cluster.Offline, "now"
	s.Services[1].State, s.Services[1].Node, s.Services[1].Run = cluster.Stopped, "", ""
}

func moved(s *cluster.Status) {
	fenced(s)
	s.Services[1].State, s.Services[1].Node, s.Services[1].Run = cluster.Running, "node2", "node2/9"
}

func back(s *cluster.Status) { moved(s); s.Nodes[1].State = cluster.Online }

// TestCrashWatch breaks node1; a scene is seen each second.
func TestCrashWatch(t *testing.T) {
	for _, test := range []struct {
		name            string
		kind            CrashKind
		scenes          []scene
		times           [4]float64 // noticed, fenced, restarted, back; 0 is never
		touched, faults []string
		recovered       bool
	}{
		{"all is well", CrashPower, []scene{lost, fenced, moved, back}, [4]float64{1, 2, 3, 4}, []string{}, []string{}, true},
		{"nobody notices", CrashCut, []scene{func(*cluster.Status) {}}, [4]float64{}, []string{},
			[]string{"nobody noticed the loss of node1", "node1 was not fenced", `service "of-node1" does not run again`,
				"node1 is not online again"}, false},
		{"others are touched", CrashFreeze, []scene{moved, func(s *cluster.Status) {
			back(s)
			s.Nodes[2].State = cluster.Offline
			s.Services[0].Run = "node0/2"
			s.Services[2].Node = "node0"
		}}, [4]float64{1, 1, 1, 2},
			[]string{"node2 was lost", `service "of-node0" was restarted on node0`, `service "of-node2" moved from node2 to node0`},
			[]string{"node2 was lost", `service "of-node0" was restarted on node0`, `service "of-node2" moved from node2 to node0`}, true},
		{"quorum", CrashPower, []scene{func(s *cluster.Status) { moved(s); s.Quorate = false; s.Services[0].State = cluster.Stopped }, back},
			[4]float64{1, 1, 1, 2}, []string{"the cluster lost its quorum", `service "of-node0" stopped running on node0`},
			[]string{"the cluster lost its quorum", `service "of-node0" stopped running on node0`}, true},
		{"nobody decides for a while", CrashPower, []scene{func(s *cluster.Status) { lost(s); s.DC, s.Quorate = "", false }, moved, back},
			[4]float64{1, 2, 2, 3}, []string{}, []string{}, true},
		// The history of fencing is not the same on a node that has just come back.
		{"others know of an earlier fencing", CrashPower, []scene{
			func(s *cluster.Status) { s.Nodes[1].LastFenced, s.Nodes[2].LastFenced = "before", "before" },
			func(s *cluster.Status) { lost(s); s.Nodes[1].LastFenced = "before" },
			moved, back}, [4]float64{2, 3, 3, 4}, []string{}, []string{}, true},
		{"it is not off yet", CrashPower, []scene{func(s *cluster.Status) { lost(s); s.Nodes[1].LastFenced = "before" }},
			[4]float64{1, 0, 0, 0}, []string{}, []string{"node1 was not fenced", `service "of-node1" does not run again`,
				"node1 is not online again"}, false},
		{"it stops again", CrashPower, []scene{moved, fenced}, [4]float64{1, 1, 0, 0}, []string{},
			[]string{`service "of-node1" does not run again`, "node1 is not online again"}, false},
		{"process", CrashProcess, []scene{func(s *cluster.Status) { s.Services[1].Run = "node1/2" }},
			[4]float64{1, 0, 1, 0}, []string{}, []string{}, true},
		{"fenced for a process", CrashProcess, []scene{moved}, [4]float64{1, 0, 1, 0},
			[]string{"node1 was lost"}, []string{"node1 was lost"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := threeNodes()
			w := newCrashWatch(before, "node1", test.kind, []CrashedService{{ID: "of-node1", From: "node1"}})
			for i, change := range test.scenes {
				status := threeNodes()
				change(&status)
				w.see(status, time.Duration(i+1)*time.Second)
			}
			report := w.conclude()
			for i, got := range []*float64{report.Noticed, report.Fenced, report.Services[0].Restarted, report.Back} {
				seen := 0.0
				if got != nil {
					seen = *got
				}
				if seen != test.times[i] {
					t.Errorf("time %d is %v, not %v", i, seen, test.times[i])
				}
			}
			if diff := cmp.Diff(test.touched, report.Touched); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.faults, report.Faults); diff != "" {
				t.Error(diff)
			}
			if got := w.recovered(time.Minute); got != test.recovered {
				t.Errorf("recovered: %v", got)
			}
		})
	}
}

func TestCrashNode(t *testing.T) {
	status := threeNodes()
	if got := crashNode(status).Name; got != "node0" {
		t.Errorf("of nodes with as many services it is %s", got)
	}
	status.Services[0].Node = "node2"
	if got := crashNode(status).Name; got != "node2" {
		t.Errorf("the one that runs most is node2, not %s", got)
	}
	status.Services = nil
	if got := crashNode(status).Name; got != "node1" {
		t.Errorf("without services it is %s", got)
	}
	status.Nodes[1].State, status.Nodes[2].Role = cluster.Offline, cluster.Remote
	if got := crashNode(status).Name; got != "node0" {
		t.Errorf("the only full one is node0, not %s", got)
	}
}

func TestCrashRisks(t *testing.T) {
	status := threeNodes()
	status.Services[1].Target = "node1"
	status.Nodes[2].State = cluster.Offline
	services := affected(status, nil, "node1", CrashPower)
	want := []string{"without node1 the cluster has no quorum and stops all services", `service "of-node1" can run on node1 only`}
	if diff := cmp.Diff(want, risks(status, status.Nodes[1], services, "")); diff != "" {
		t.Error(diff)
	}
	// A service that must have what no other node offers.
	status = threeNodes()
	status.Nodes[1].Capabilities = []string{"gpu"}
	needs := []cluster.Service{{ID: "of-node1", Require: "gpu"}}
	if got := affected(status, needs, "node1", CrashPower); !got[0].Bound {
		t.Errorf("%+v", got)
	}
	if got := affected(status, needs, "node1", CrashProcess); got[0].Bound {
		t.Errorf("%+v", got)
	}
	if got := risks(status, status.Nodes[1], affected(status, nil, "node1", CrashPower), ""); len(got) > 0 {
		t.Errorf("risks %q", got)
	}
}
