package agent

import (
	"context"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// answerMargin is what a monitor that holds leaves of its time-out, for
// finding out how a service died.
const answerMargin = 5 * time.Second

// monitor answers whether the service runs.
//
// The recurring one holds: it answers "runs" only after a while, and the death
// of the service at once, so that Pacemaker, which counts the interval from
// one answer to the next call, need not call often and still hears of a death
// within milliseconds. It must never hold up a transition: the first one after
// a start or a probe, for which Pacemaker waits, and one that finds another
// holding, answer at once.
//
// A death is "not running": one failure, and a service that may be started
// again without a stop. That is said only when nothing of it is left.
func monitor(ctx context.Context, a *agent, req request) outcome {
	state, err := a.systemd.state(ctx, req.unit)
	if err != nil {
		return fail(errGeneric, "%v", err)
	}
	if state.phase() != running {
		return a.absent(ctx, req, state)
	}
	if req.interval == 0 {
		// The monitor that follows is a first one again: a transition waits for it.
		forgetTurns(a.runDir, req.id)
		return outcome{}
	}
	limit := req.holdTime()
	if limit <= 0 {
		return outcome{}
	}
	t, ok := takeTurn(a.runDir, req.id, state.invocation)
	if !ok {
		return outcome{}
	}
	defer t.end()
	alive, state, err := a.hold(ctx, req.unit, limit)
	switch {
	case err != nil:
		return fail(errGeneric, "%v", err)
	case alive:
		return outcome{}
	}
	return a.died(ctx, req, state)
}

// holdTime is how long this monitor may hold; 0 for a definition that cannot be
// read: a running service is not failed for that.
func (r request) holdTime() time.Duration {
	service, err := r.service()
	if err != nil {
		return 0
	}
	return min(time.Duration(service.Monitor)*time.Second, r.timeout-answerMargin)
}

// absent answers for a service that does not run as the monitor comes.
func (a *agent) absent(ctx context.Context, req request, state unitState) outcome {
	if req.interval > 0 {
		return a.died(ctx, req, state)
	}
	// A probe changes nothing.
	left, err := a.systemd.processes(ctx, req.unit)
	switch {
	case err != nil:
		return fail(errGeneric, "%v", err)
	case state.phase() == changing || len(left) > 0:
		return fail(errGeneric, "is neither running nor stopped: its unit is %s (%s)", state.active, state.sub)
	}
	return outcome{code: notRunning}
}

// died reports a death that nobody asked for, and clears what is left.
func (a *agent) died(ctx context.Context, req request, state unitState) outcome {
	reason := keeper.WithLastWords(deathReason(state), a.journal(ctx, req.unit, state.invocation, state.began))
	clearing, cancel := context.WithTimeout(ctx, leftoverWait)
	defer cancel()
	if err := a.clear(clearing, req.unit); err != nil {
		// Pacemaker now stops the service, with all of a stop's time for it.
		return fail(errGeneric, "%s; processes of it remain", reason)
	}
	return fail(notRunning, "%s", reason)
}

// deathReason says how a service died.
func deathReason(state unitState) string {
	switch {
	case state.phase() == gone:
		return "its systemd unit was stopped, but not by the cluster"
	case state.result == "oom-kill":
		return "was killed by the kernel: out of memory"
	case state.main.known():
		return state.main.String()
	}
	return "its last process ended"
}

// clear stops what is left of the unit and makes systemd forget it.
func (a *agent) clear(ctx context.Context, unit string) error {
	if err := a.systemd.stop(ctx, unit); err != nil {
		return err
	}
	return a.systemd.forget(ctx, unit)
}
