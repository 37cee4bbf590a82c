package keeper

import (
	"fmt"
	"syscall"
	"time"
)

// stop ends all processes of a service, and returns when they are gone.
func (n *node) stop(id string) error {
	r, ok, err := n.dir.run(id)
	if err != nil || !ok || r.Boot != n.boot {
		return err
	}
	if r.Keeper.alive() {
		if err := signalProcess(r.Keeper, int(syscall.SIGTERM)); err != nil {
			return fmt.Errorf("stop its keeper: %w", err)
		}
		// It waits and kills itself. What it left is not waited for once more.
		waitGone([]Identity{r.Keeper}, stopWait+killWait+time.Second)
		return n.sweep(r, 0)
	}
	return n.sweep(r, stopWait)
}

// sweep ends what there is of a run without its keeper: TERM, after some
// patience KILL.
func (n *node) sweep(r run, patience time.Duration) error {
	left, err := members(r)
	if err != nil || len(left) == 0 {
		return err
	}
	if patience > 0 {
		if err := signalAll(left, syscall.SIGTERM); err != nil {
			return err
		}
		waitGone(left, patience)
	}
	last := time.Now().Add(killWait)
	for {
		if left, err = members(r); err != nil || len(left) == 0 {
			return err
		}
		if err := signalAll(left, syscall.SIGKILL); err != nil {
			return err
		}
		if !waitGone(left, pollPause) && time.Now().After(last) {
			return fmt.Errorf("processes %v do not end, not even by signal KILL", pids(left))
		}
	}
}

// members are the processes of a run that are there. What cannot be told from
// processes of others is not among them: a session or a parent means something
// only while a process stands for it that is known by its start time.
func members(r run) ([]Identity, error) {
	all, err := readTable()
	if err != nil {
		return nil, err
	}
	found := all.marked(r.ID)
	for _, known := range []Identity{r.Keeper, r.Main} {
		e, ok := all[known.PID]
		if !ok || e.Identity != known {
			continue
		}
		found = append(found, known)
		found = append(found, all.below(known.PID)...)
		found = append(found, all.inSession(e.session)...)
	}
	return sorted(found), nil
}

func signalAll(all []Identity, number syscall.Signal) error {
	for _, each := range all {
		if err := signalProcess(each, int(number)); err != nil {
			return fmt.Errorf("signal process %d: %w", each.PID, err)
		}
	}
	return nil
}

// waitGone waits until none of the processes is there, or for some time.
func waitGone(all []Identity, patience time.Duration) bool {
	for end := time.Now().Add(patience); ; time.Sleep(pollPause) {
		there := false
		for _, each := range all {
			there = there || each.alive()
		}
		if !there {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func pids(all []Identity) []int {
	list := make([]int, 0, len(all))
	for _, each := range all {
		list = append(list, each.PID)
	}
	return list
}
