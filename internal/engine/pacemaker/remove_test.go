package pacemaker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// defined is a resources section that holds a service on node0.
func defined(t *testing.T, id string) string {
	t.Helper()
	primitive, err := cib.NewPrimitive(cluster.Service{ID: id, Target: "node0", Command: []string{"/bin/a"}}, []string{"node0"})
	if err != nil {
		t.Fatal(err)
	}
	return string(marshal(t, cib.Resources{Primitives: []cib.Primitive{primitive}}))
}

func TestRemoveMissing(t *testing.T) {
	f := newFake(t, 3, state(t, "running", "running"))
	err := f.engine.Remove(within(t), []string{"run", "ru", "none"})
	wantError(t, err, "service \"ru\" is not in cluster \"world\"\nservice \"none\" is not in cluster \"world\"")
	var missing *cluster.NotFoundError
	if !errors.As(err, &missing) || missing.Hint() != "the services are pinned, run" {
		t.Errorf("%+v", missing)
	}
}

// TestRemoveWaits returns when the process is gone, not before.
func TestRemoveWaits(t *testing.T) {
	before, stopping := state(t, "restarted", "empty"), state(t, "orphan", "empty")
	before.resources = defined(t, "stubborn")
	before.writes = []write{deletion("stubborn")}
	stopping.mon = []string{stopping.mon[0], stopping.mon[0], recorded(t, "mon-standby")}
	newFakeRemoving(t, "stubborn", before, stopping)
}

// TestRemoveByHistory is told by the history of the service that it has stopped.
func TestRemoveByHistory(t *testing.T) {
	before, stopped := state(t, "running", "running"), state(t, "empty", "empty")
	before.writes = []write{deletion("run")}
	stopped.mon = nil // and so crm_mon is not asked
	stopped.history = `<lrm_resource id="service-run"><lrm_rsc_op operation="stop" rc-code="0" call-id="9" on_node="node1"/></lrm_resource>`
	f := newFake(t, 3, before, stopped)
	f.engine.followed = time.Minute
	if err := f.engine.Remove(within(t), []string{"run"}); err != nil {
		t.Error(err)
	}
}

// newFakeRemoving removes a service with success.
func newFakeRemoving(t *testing.T, id string, phases ...phase) {
	t.Helper()
	f := newFake(t, 3, phases...)
	if err := f.engine.Remove(within(t), []string{id}); err != nil {
		t.Error(err)
	}
}

// TestRemoveForgets leaves no failure behind that would keep a later service of
// that name from starting.
func TestRemoveForgets(t *testing.T) {
	before, gone := state(t, "start-failed", "start-failed"), state(t, "running", "running")
	before.writes = []write{deletion("bad")}
	gone.transient = recorded(t, "transient-monitor-failed") // it holds those of another service, too
	gone.writes = forgotten("bad")
	after := state(t, "running", "running")
	after.mon = nil
	newFakeRemoving(t, "bad", before, gone, after)
}

// TestRemoveGone is killed before it waits, and runs again: nothing is there.
func TestRemoveGone(t *testing.T) {
	before, gone := state(t, "running", "running"), state(t, "empty", "empty")
	removal := deletion("run")
	removal.code, removal.stderr = cib.ExitNoSuch, "Call cib_delete failed: No such device or address\n"
	before.writes, gone.transient = []write{removal}, ""
	newFakeRemoving(t, "run", before, gone)
}

func TestRemoveSeveral(t *testing.T) {
	before, gone := state(t, "running", "running"), state(t, "empty", "empty")
	before.writes = []write{{line: `cibadmin --delete-all --force --xpath ` +
		`'//resources/primitive[@id='\''service-pinned'\'' or @id='\''service-run'\'']'`}}
	gone.mon = []string{recorded(t, "mon-running"), recorded(t, "mon-empty")}
	f := newFake(t, 3, before, gone)
	if err := f.engine.Remove(within(t), []string{"pinned", "run"}); err != nil {
		t.Error(err)
	}
}

func TestRemoveNothing(t *testing.T) {
	f := newFake(t, 3, state(t, "running", "running"))
	if err := f.engine.Remove(within(t), nil); err != nil {
		t.Error(err)
	}
}

func TestRemoveBlocked(t *testing.T) {
	before, blocked := state(t, "blocked", "blocked"), state(t, "orphan-blocked", "orphan-blocked")
	before.writes = []write{deletion("stuck")}
	f := newFake(t, 3, before, blocked)
	err := f.engine.Remove(within(t), []string{"stuck"})
	wantError(t, err, `remove service "stuck": it does not stop: stop on node1: Child process was unable to execute file`)
}

func TestRemoveCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(within(t))
	before, stopping := state(t, "restarted", "empty"), state(t, "orphan", "empty")
	before.resources = defined(t, "stubborn")
	before.writes = []write{deletion("stubborn")}
	stopping.mon = []string{stopping.mon[0], stopping.mon[0]}
	looks := 0
	stopping.onMon = func() {
		if looks++; looks == 2 {
			cancel(errors.New("gave up after 2m"))
		}
	}
	f := newFake(t, 3, before, stopping)
	err := f.engine.Remove(ctx, []string{"stubborn"})
	wantError(t, err, `remove service "stubborn": it has not stopped yet: gave up after 2m`)
}
