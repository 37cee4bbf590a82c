package pacemaker

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// services asks a cluster for anything.
func services(t *testing.T, f *fake) error {
	t.Helper()
	got, err := f.engine.Services(within(t))
	if err != nil {
		return err
	}
	var ids []string
	for _, service := range got {
		ids = append(ids, service.ID)
	}
	if diff := cmp.Diff([]string{"pinned", "run"}, ids); diff != "" {
		t.Error(diff)
	}
	return nil
}

func TestSessionSkipsNodeWithoutPacemaker(t *testing.T) {
	f := newFake(t, 2, state(t, "running", "running"))
	f.down["node0"] = true
	if err := services(t, f); err != nil || f.asked["node1"] == 0 {
		t.Errorf("%v, asked %v", err, f.asked)
	}
}

func TestSessionPrefersQuorum(t *testing.T) {
	f := newFake(t, 3, state(t, "running", "running"))
	f.split["node0"], f.split["node1"] = true, true
	status, err := f.engine.Status(within(t))
	if err != nil || !status.Quorate || f.asked["node2"] == 0 {
		t.Errorf("%+v (%v), asked %v", status, err, f.asked)
	}
}

func TestSessionWithoutAnyQuorum(t *testing.T) {
	f := newFake(t, 3, state(t, "running", "running"))
	f.split["node0"], f.split["node1"] = true, true
	f.down["node2"] = true
	status, err := f.engine.Status(within(t))
	if err != nil || status.Quorate || len(status.Services) != 2 {
		t.Errorf("%+v (%v), want a status without quorum", status, err)
	}
}

func TestSessionSkipsUnreachableNode(t *testing.T) {
	f := newFake(t, 2, state(t, "running", "running"))
	f.nodes[0].Close()
	if err := services(t, f); err != nil || f.asked["node0"] != 0 {
		t.Errorf("%v, asked %v", err, f.asked)
	}
}

func TestSessionFindsNone(t *testing.T) {
	f := newFake(t, 2, phase{})
	f.down["node0"] = true
	f.nodes[1].Close()
	err := services(t, f)
	if err == nil {
		t.Fatal("no error")
	}
	const want = "no node of cluster \"world\" answers for it: pacemaker does not run on node0\n" +
		"node1: connect to node1 at ADDR: connection refused"
	if text := strings.ReplaceAll(err.Error(), f.nodes[1].Addr, "ADDR"); text != want {
		t.Errorf("error\n%s\nwant\n%s", text, want)
	}
	if !errors.Is(err, remote.ErrUnreachable) || !errors.Is(err, errNotRunning) {
		t.Errorf("%v does not hold its causes", err)
	}
	if hint := cluster.HintOf(err); hint != "boot completes and repairs a cluster: sirikata-cluster nodes boot world" {
		t.Errorf("hint %q", hint)
	}
}

// TestPollChangesNodes loses the node that it asks while it waits.
func TestPollChangesNodes(t *testing.T) {
	for name, lose := range map[string]func(*fake){
		"its Pacemaker": func(f *fake) { f.down["node0"] = true },
		"its network":   func(f *fake) { f.nodes[0].Drop(); go f.nodes[0].Close() },
	} {
		t.Run(name, func(t *testing.T) {
			service := recordedService(t, "running", "run")
			before, starting := state(t, "empty", "empty"), state(t, "empty", "running")
			before.writes = []write{creation(t, 0, service, "node0", "node1")}
			f := newFake(t, 2, before, starting)
			looks := 0
			f.phases[1].onMon = func() {
				if looks++; looks == 1 {
					lose(f)
				}
			}
			f.phases[1].mon = append(f.phases[1].mon, f.phases[1].mon[0], recorded(t, "mon-running"))
			added, err := f.engine.Add(within(t), []cluster.Service{service})
			if err != nil || len(added) != 1 || f.asked["node1"] == 0 {
				t.Errorf("%+v (%v), asked %v", added, err, f.asked)
			}
		})
	}
}

// TestSessionReadsGarbage gets what is not Pacemaker's XML.
func TestSessionReadsGarbage(t *testing.T) {
	for name, alter := range map[string]func(*phase){
		"read output of crm_mon":    func(p *phase) { p.mon[0] = p.mon[0][:1000] },
		"read resources of the CIB": func(p *phase) { p.resources = "<cib/>" },
		`of service "x": unexpected end`: func(p *phase) {
			p.resources = `<resources><primitive id="service-x" class="ocf" provider="sirikata" type="service"/></resources>`
		},
	} {
		phase := state(t, "running", "running")
		phase.looked = 1 // another answer may end the session before crm_mon gives its own
		alter(&phase)
		f := newFake(t, 1, phase)
		if _, err := f.engine.Status(within(t)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one of %q", err, name)
		}
	}
}

// TestSessionWithoutProgram: hosts that were never booted lack even the programs.
func TestSessionWithoutProgram(t *testing.T) {
	f := newFake(t, 1, phase{})
	f.bare = map[string]bool{"node0": true}
	err := services(t, f)
	const want = `no node of cluster "world" answers for it: pacemaker does not run on node0: it is not installed there`
	if err == nil || err.Error() != want || !strings.Contains(cluster.HintOf(err), "nodes boot world") {
		t.Errorf("%v; %s", err, cluster.HintOf(err))
	}
}
