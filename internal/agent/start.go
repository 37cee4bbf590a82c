package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

const (
	// startMargin is what a start leaves of its time-out for clearing up.
	startMargin = time.Second
	// survival is for how long a service must live to count as started.
	survival = 200 * time.Millisecond
	// wordsWait is for how long a failed start waits for what it printed.
	wordsWait  = 250 * time.Millisecond
	wordsPause = 50 * time.Millisecond
	// stopGrace is for how long a failed start has to end on TERM.
	stopGrace = 300 * time.Millisecond
)

// start starts the service and waits until it has survived for a moment. After
// a failed start nothing of it is left. A service that already runs as defined
// is started.
func start(ctx context.Context, a *agent, req request) outcome {
	p, bad := a.plan(req)
	if bad.code != success {
		return bad
	}
	state, err := a.systemd.state(ctx, req.unit)
	if err != nil {
		return fail(errGeneric, "%v", err)
	}
	remembered := started{invocation: state.invocation, digest: p.digest()}
	if state.phase() == running && remembered.is(a.runDir, req.id) {
		return outcome{}
	}
	if bad := a.check(ctx, p); bad.code != success {
		return bad
	}
	if state.phase() != gone {
		if err := a.clear(ctx, req.unit); err != nil {
			return fail(errGeneric, "stop what runs in unit %s: %v", req.unit, err)
		}
	}
	state, reason, err := a.launch(ctx, req, p)
	if err == nil && reason == "" {
		started{invocation: state.invocation, digest: p.digest()}.remember(a.runDir, req.id)
		return outcome{}
	}
	// What is left of it first: the rest of the time-out is short.
	left := ""
	if err := a.abandon(ctx, req.unit); err != nil {
		left = fmt.Sprintf("; what is left of it could not be stopped: %v", err)
	}
	if err != nil {
		return fail(errGeneric, "%v%s", err, left)
	}
	return fail(errGeneric, "%s%s", withFirstWords(reason, state, a.firstWords(ctx, req.unit, state)), left)
}

// launch starts the unit and returns its last state, and why it is not started
// after all, or "".
func (a *agent) launch(ctx context.Context, req request, p plan) (state unitState, reason string, err error) {
	limit := max(req.timeout-startMargin, req.timeout/2)
	state, timedOut, err := a.startUnit(ctx, req.unit, p, limit)
	switch {
	case err != nil:
		return state, "", fmt.Errorf("start unit %s: %w", req.unit, err)
	case state.phase() == running:
		reason, state, err = a.survives(ctx, req.unit, p, state)
	case timedOut:
		reason, err = stuckReason(p, state, limit)
	default:
		reason = startReason(state, p)
	}
	return state, reason, err
}

// startUnit starts the unit and returns its state once the start is over, or
// timedOut when it is not over within the limit.
//
// It starts again what may have got other arguments than the plan's: a
// daemon-reload before systemd executes the command makes systemd 252 read the
// command back from a file in which it quotes ; and $ in a way that it does not
// understand itself.
func (a *agent) startUnit(ctx context.Context, unit string, p plan, limit time.Duration) (state unitState, timedOut bool, err error) {
	starting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// systemd's own limit only matters when this process is killed.
	properties := p.properties(limit + startMargin/2)
	for {
		err = a.systemd.start(starting, unit, properties)
		timedOut = errors.Is(err, context.DeadlineExceeded)
		if err != nil && !timedOut {
			return state, false, err
		}
		if state, err = a.systemd.state(ctx, unit); err != nil {
			return state, false, err
		}
		if timedOut || state.command == nil || slices.Equal(state.command, escapeVariables(p.executed())) {
			return state, timedOut, nil
		}
		if err = a.abandon(ctx, unit); err != nil {
			return state, false, err
		}
	}
}

// firstWords returns what a failed start printed. On a busy machine the journal
// may get to it after the agent; a start has the time to ask again.
func (a *agent) firstWords(ctx context.Context, unit string, state unitState) []string {
	asking, cancel := context.WithTimeout(ctx, wordsWait)
	defer cancel()
	var lines []string
	// That time runs out for what printed nothing.
	_ = poll(asking, wordsPause, func() (bool, error) {
		lines = a.journal(ctx, unit, state.invocation, state.began) // with all of its own time
		return keeper.LastWords(lines) != "", nil
	})
	return lines
}

// survives watches the new service for a moment and returns why it is not
// started after all, or "".
func (a *agent) survives(ctx context.Context, unit string, p plan, state unitState) (string, unitState, error) {
	if state.mainPID != 0 {
		// systemd believes root's pid file about processes that it did not start.
		pids, err := a.systemd.processes(ctx, unit)
		if err != nil {
			return "", state, err
		}
		if len(pids) > 0 && !slices.Contains(pids, state.mainPID) {
			return strangerReason(p, int(state.mainPID)), state, nil
		}
	}
	alive, last, err := a.hold(ctx, unit, survival)
	if err != nil || alive {
		return "", state, err
	}
	return deathReason(last), last, nil
}

// startReason says why a unit whose start is over does not run.
func startReason(state unitState, p plan) string {
	switch {
	case state.result == "oom-kill" || state.main.known():
		return deathReason(state)
	case state.control.known() && (state.control.code != cldExited || state.control.status != 0):
		return state.control.String()
	case p.pidFile != "":
		return "its parent process exited, but wrote no pid file and left no process"
	case p.forking:
		return "its parent process exited and left no process"
	}
	return fmt.Sprintf("its unit is %s (%s): %s", state.active, state.sub, state.result)
}

// stuckReason says why the start is not over after its time.
func stuckReason(p plan, state unitState, limit time.Duration) (string, error) {
	within := limit.Round(time.Second / 10).String()
	switch {
	case !p.forking:
		return "did not start within " + within, nil
	// On a slow machine systemd's own limit may have ended it by now.
	case state.controlPID != 0 || state.control.code == cldKilled:
		return "did not fork within " + within + ": it stays in the foreground; add the service with --force-daemonize", nil
	case p.pidFile == "":
		return "was not started by systemd within " + within, nil
	}
	pid, err := keeper.ReadPIDFile(p.pidFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("did not write its pid file %s within %s", p.pidFile, within), nil
	case errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange):
		return fmt.Sprintf("its pid file %s does not hold a process id", p.pidFile), nil
	case err != nil:
		return "", fmt.Errorf("read pid file: %w", err)
	}
	return strangerReason(p, pid), nil
}

func strangerReason(p plan, pid int) string {
	return fmt.Sprintf("its pid file %s names process %d, which is not a process of this service", p.pidFile, pid)
}

// abandon ends what a failed start left, soon: the rest of the time-out is
// short.
func (a *agent) abandon(ctx context.Context, unit string) error {
	gentle, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	if err := a.systemd.stop(gentle, unit); err != nil {
		if err := a.systemd.kill(ctx, unit); err != nil {
			return err
		}
	}
	return a.clear(ctx, unit)
}
