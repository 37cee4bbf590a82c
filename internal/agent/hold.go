package agent

import (
	"context"
	"slices"
	"time"
)

// watcher watches processes.
type watcher interface {
	// wait returns the processes that are dead as soon as one is, or none when
	// ctx ends first. ctx must have a deadline.
	wait(ctx context.Context) ([]uint32, error)
	close()
}

const (
	// settleWait is for how long systemd may take to notice a death.
	settleWait = time.Second
	settlePoll = 2 * time.Millisecond
	// leftoverWait is for how long what a dead service left behind may take to
	// end before the death is reported without waiting for it.
	leftoverWait = 300 * time.Millisecond
)

// hold watches a running service for the given time, or until it is dead, and
// returns whether it is alive, and its last state when it is not. It watches
// the main process, or all processes when systemd does not know the main one:
// then the service lives as long as one of them does.
func (a *agent) hold(ctx context.Context, unit string, limit time.Duration) (bool, unitState, error) {
	holding, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		dead, err := a.firstDeath(ctx, holding, unit)
		if err != nil || len(dead) == 0 {
			return err == nil, unitState{}, err
		}
		state, alive, err := a.settle(ctx, unit, dead)
		if err != nil || !alive {
			return false, state, err
		}
	}
}

// noProcess stands in the list of the dead where a service has no process.
const noProcess = 0

// firstDeath waits, while holding lasts, for the first death among the
// processes to watch.
func (a *agent) firstDeath(ctx, holding context.Context, unit string) ([]uint32, error) {
	pids, err := a.watched(ctx, unit)
	if err != nil {
		return nil, err
	}
	if len(pids) == 0 {
		return []uint32{noProcess}, nil
	}
	w, err := a.watch(pids)
	if err != nil {
		return nil, err
	}
	defer w.close()
	// A process id may have gone to another process before it was opened.
	again, err := a.watched(ctx, unit)
	if err != nil {
		return nil, err
	}
	for _, pid := range pids {
		if !slices.Contains(again, pid) {
			return []uint32{pid}, nil
		}
	}
	return w.wait(holding)
}

// watched returns the processes on whose life the service depends.
func (a *agent) watched(ctx context.Context, unit string) ([]uint32, error) {
	state, err := a.systemd.state(ctx, unit)
	if err != nil || state.phase() != running {
		return nil, err
	}
	if state.mainPID != 0 {
		return []uint32{state.mainPID}, nil
	}
	return a.systemd.processes(ctx, unit)
}

// settle waits until systemd has noticed the deaths. The service is alive when
// it runs without the dead.
func (a *agent) settle(ctx context.Context, unit string, dead []uint32) (state unitState, alive bool, err error) {
	settling, cancel := context.WithTimeout(ctx, settleWait)
	defer cancel()
	err = poll(settling, settlePoll, func() (bool, error) {
		var err error
		if state, err = a.systemd.state(ctx, unit); err != nil {
			return false, err
		}
		if state.phase() != running {
			return true, nil
		}
		pids, err := a.watched(ctx, unit)
		noticed := !slices.ContainsFunc(pids, func(pid uint32) bool { return slices.Contains(dead, pid) })
		alive = err == nil && len(pids) > 0 && noticed
		return alive, err
	})
	if settling.Err() != nil && ctx.Err() == nil {
		err = nil // the state says what is so after that time
	}
	return state, alive, err
}
