package pacemaker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

func TestAddFresh(t *testing.T) {
	service := recordedService(t, "running", "run")
	empty, running := state(t, "empty", "empty"), state(t, "running", "running")
	empty.writes = []write{creation(t, 0, service, "node0", "node1", "node2")}
	running.mon = append([]string{recorded(t, "mon-empty")}, running.mon...) // crm_mon does not know it yet
	f := newFake(t, 3, empty, running)
	added, err := f.engine.Add(within(t), []cluster.Service{service})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, added, engine.Added{ID: "run", Node: "node0"})
}

// TestAddByHistory is told by the history of the service that it runs.
func TestAddByHistory(t *testing.T) {
	service := recordedService(t, "running", "run")
	empty, running := state(t, "empty", "empty"), state(t, "empty", "running")
	empty.writes = []write{creation(t, 0, service, "node0", "node1", "node2")}
	running.mon = nil // and so crm_mon is not asked
	running.history = `<lrm_resource id="service-run"><lrm_rsc_op operation="start" rc-code="0" call-id="9" on_node="node1"/></lrm_resource>`
	f := newFake(t, 3, empty, running)
	f.engine.followed = time.Minute
	added, err := f.engine.Add(within(t), []cluster.Service{service})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, added, engine.Added{ID: "run", Node: "node1"})
}

// TestAddSome adds a service beside one that is there.
func TestAddSome(t *testing.T) {
	run, pinned := recordedService(t, "running", "run"), recordedService(t, "running", "pinned")
	before, after := state(t, "running", "running"), state(t, "running", "running")
	before.resources = `<resources>` + string(marshal(t, recordedPrimitive(t, "running", "run"))) + `</resources>`
	before.writes = []write{creation(t, 0, pinned, "node2")}
	f := newFake(t, 3, before, after)
	added, err := f.engine.Add(within(t), []cluster.Service{run, pinned})
	if err != nil {
		t.Fatal(err)
	}
	if len(added) == 2 && added[0].ID == "pinned" {
		added[0], added[1] = added[1], added[0]
	}
	wantAdded(t, added, engine.Added{ID: "run", Node: "node0", Already: true}, engine.Added{ID: "pinned", Node: "node2"})
}

func TestAddAgain(t *testing.T) {
	f := newFake(t, 3, state(t, "running", "running"))
	added, err := f.engine.Add(within(t), []cluster.Service{recordedService(t, "running", "run")})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, added, engine.Added{ID: "run", Node: "node0", Already: true})
}

// TestAddAnother wants an id that is taken, beside one that is not.
func TestAddAnother(t *testing.T) {
	service := recordedService(t, "running", "run")
	service.Command = append(service.Command, "more")
	fresh := cluster.Service{ID: "fresh", Target: cluster.Any, Command: []string{"/bin/true"}}
	f := newFake(t, 3, state(t, "running", "running"))
	added, err := f.engine.Add(within(t), []cluster.Service{fresh, service})
	wantError(t, err, `add service "run": the id is taken by a service with another definition`)
	wantAdded(t, added)
	if !errors.Is(err, cluster.ErrServiceExists) {
		t.Errorf("%v is not %v", err, cluster.ErrServiceExists)
	}
	if hint := cluster.HintOf(err); hint != "choose another id, or remove that one first; list services shows it" {
		t.Errorf("hint %q", hint)
	}
}

// TestAddFaultsAllAtOnce adds nothing if any service cannot be.
func TestAddFaultsAllAtOnce(t *testing.T) {
	f := newFake(t, 3, state(t, "node-killed", "four"))
	added, err := f.engine.Add(within(t), []cluster.Service{
		{ID: "fresh", Target: cluster.Any, Command: []string{"/bin/true"}},
		{ID: "away", Target: "node2", Command: []string{"/bin/true"}},
		{ID: "nowhere", Target: "node9", Command: []string{"/bin/true"}},
	})
	wantError(t, err, "add service \"away\": node2 is offline\nadd service \"nowhere\": node \"node9\" is not in cluster \"world\"")
	wantAdded(t, added)
}

// TestAddLosesRace is faster than another operator, who adds the same.
func TestAddLosesRace(t *testing.T) {
	service := recordedService(t, "running", "run")
	another := service
	another.Monitor++
	for _, test := range []struct {
		name    string
		service cluster.Service
		want    string
	}{
		{"same", service, ""},
		{"another", another, `add service "run": the id is taken by a service with another definition`},
	} {
		t.Run(test.name, func(t *testing.T) {
			empty := state(t, "empty", "empty")
			lost := creation(t, cib.ExitExists, test.service, "node0", "node1", "node2")
			lost.stderr = "Call cib_create failed: File exists\n"
			empty.writes = []write{lost}
			f := newFake(t, 3, empty, state(t, "running", "running"))
			added, err := f.engine.Add(within(t), []cluster.Service{test.service})
			if test.want != "" {
				wantError(t, err, test.want)
				wantAdded(t, added)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantAdded(t, added, engine.Added{ID: "run", Node: "node0", Already: true})
		})
	}
}

// TestAddTakenByForeign has the id taken by what cannot be seen as a service.
func TestAddTakenByForeign(t *testing.T) {
	service := recordedService(t, "running", "run")
	var phases []phase
	for range createTries {
		empty := state(t, "empty", "empty")
		empty.writes = []write{creation(t, cib.ExitExists, service, "node0", "node1", "node2")}
		phases = append(phases, empty)
	}
	f := newFake(t, 3, append(phases, state(t, "empty", "empty"))...)
	_, err := f.engine.Add(within(t), []cluster.Service{service})
	if !errors.Is(err, cluster.ErrServiceExists) {
		t.Errorf("error %v, want %v", err, cluster.ErrServiceExists)
	}
}

func TestAddStartFails(t *testing.T) {
	service := recordedService(t, "start-failed", "bad")
	empty, failed, gone := state(t, "empty", "empty"), state(t, "start-failed", "start-failed"), state(t, "running", "running")
	empty.writes = []write{creation(t, 0, service, "node0", "node1", "node2")}
	failed.mon = append([]string{recorded(t, "mon-empty")}, failed.mon...)
	failed.writes = []write{deletion("bad")}
	gone.transient = recorded(t, "transient-start-failed")
	gone.writes = forgotten("bad")
	f := newFake(t, 3, empty, failed, gone, state(t, "running", "running"))
	f.phases[3].mon = nil
	f.phases[3].logs = map[string]string{
		"node0: journalctl --no-pager --quiet --output=cat --lines=10 --since=@1795516311 _SYSTEMD_UNIT=sirikata-bad.service": "no world\nto load\n"}
	added, err := f.engine.Add(within(t), []cluster.Service{service})
	wantError(t, err, `add service "bad": it does not run: start on node0: exited with status 3 after 5ms`)
	wantAdded(t, added)
	var output *engine.OutputError
	if !errors.As(err, &output) || output.Output != "no world\nto load" {
		t.Errorf("output %+v", output)
	}
}

// TestAddFailsBesideOthers keeps those that run, and one that was there before.
func TestAddFailsBesideOthers(t *testing.T) {
	bad, run := recordedService(t, "start-failed", "bad"), recordedService(t, "start-failed", "run")
	f := newFake(t, 3, state(t, "start-failed", "start-failed"))
	f.phases[0].logs = map[string]string{
		"node0: journalctl --no-pager --quiet --output=cat --lines=10 --since=@1795516311 _SYSTEMD_UNIT=sirikata-bad.service": "\n"}
	added, err := f.engine.Add(within(t), []cluster.Service{bad, run})
	wantError(t, err, `add service "bad": it does not run: start on node0: exited with status 3 after 5ms; it last printed: no world to load`)
	wantAdded(t, added, engine.Added{ID: "run", Node: "node0", Already: true})
}

// TestAddCancelled has its time run out while the service starts.
func TestAddCancelled(t *testing.T) {
	service := recordedService(t, "starting", "slow")
	ctx, cancel := context.WithCancelCause(within(t))
	empty, starting, gone := state(t, "empty", "empty"), state(t, "starting", "starting"), state(t, "empty", "empty")
	empty.writes = []write{creation(t, 0, service, "node1")}
	starting.onMon = func() { cancel(errors.New("gave up after 2m")) }
	starting.writes = []write{deletion("slow")}
	f := newFake(t, 3, empty, starting, gone)
	added, err := f.engine.Add(ctx, []cluster.Service{service})
	wantAdded(t, added)
	wantError(t, err, `add service "slow": it does not run yet: gave up after 2m`)
	if !errors.Is(err, context.Cause(ctx)) {
		t.Errorf("%v is not %v", err, context.Cause(ctx))
	}
}

func TestAddWithoutQuorum(t *testing.T) {
	service := cluster.Service{ID: "web", Target: "node0", Command: []string{"/bin/web"}, Failover: true}
	before, after, gone := state(t, "no-quorum", "empty"), state(t, "no-quorum", "empty"), state(t, "no-quorum", "empty")
	before.mon = append(before.mon, before.mon...) // it looks at all nodes for one with quorum
	before.writes = []write{creation(t, 0, service, "node0")}
	after.writes = []write{deletion("web")}
	f := newFake(t, 1, before, after, gone)
	_, err := f.engine.Add(within(t), []cluster.Service{service})
	wantError(t, err, `add service "web": it does not run: the cluster has no quorum: more than half of the nodes must be online`)
}
