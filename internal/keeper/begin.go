package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// follow makes a process the one by which the service lives.
func (k *keeper) follow(pid int) error {
	e, ok := readEntry(pid)
	if !ok { // it is dead, and its end comes
		e.Identity = Identity{PID: pid}
	}
	k.run.Main = e.Identity
	return k.dir.writeRun(k.plan.ID, k.run)
}

// forks waits until the parent has exited and the daemon is known.
func (k *keeper) forks(parent int) error {
	limit := time.NewTimer(k.plan.Limit)
	defer limit.Stop()
	within := k.plan.Limit.Round(time.Second / 10).String()
	exited := false
	for {
		var look <-chan time.Time
		if exited {
			look = time.After(pollPause)
		}
		select {
		case ended, more := <-k.exits:
			switch {
			case !more && k.plan.PIDFile != "":
				return errors.New("its parent process exited, but wrote no pid file and left no process")
			case !more:
				return errors.New("its parent process exited and left no process")
			case ended.pid == parent && ended.status != 0:
				return errors.New(k.ending(ended.status))
			case ended.pid == parent:
				exited = true
			}
		case <-look:
			main, err := k.main()
			if err == nil {
				k.run.Main = main
				return k.dir.writeRun(k.plan.ID, k.run)
			}
		case <-k.terms:
			return errStopped
		case <-limit.C:
			if !exited {
				return fmt.Errorf("did not fork within %s: it stays in the foreground; add the service with --force-daemonize", within)
			}
			_, err := k.main()
			return fmt.Errorf("%w (waited for %s)", err, within)
		}
	}
}

var errStopped = errors.New("was stopped while it started")

// main is the process by which a daemon lives: the one that its pid file names
// or, without one, the oldest.
func (k *keeper) main() (Identity, error) {
	all, err := readTable()
	if err != nil {
		return Identity{}, err
	}
	below := all.below(os.Getpid())
	if k.plan.PIDFile == "" {
		if len(below) == 0 {
			return Identity{}, errors.New("left no process")
		}
		return below[0], nil
	}
	pid, err := ReadPIDFile(k.plan.PIDFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Identity{}, fmt.Errorf("did not write its pid file %s", k.plan.PIDFile)
	case errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange):
		return Identity{}, fmt.Errorf("did not write a process id to its pid file %s", k.plan.PIDFile)
	case err != nil:
		return Identity{}, fmt.Errorf("read pid file: %w", err)
	}
	at := slices.IndexFunc(below, func(i Identity) bool { return i.PID == pid })
	if at < 0 {
		return Identity{}, fmt.Errorf("its pid file %s names process %d, which is not a process of this service",
			k.plan.PIDFile, pid)
	}
	return below[at], nil
}

// survives watches the new service for a moment.
func (k *keeper) survives() error {
	moment := time.After(survival)
	for {
		select {
		case ended, more := <-k.exits:
			if more && ended.pid != k.run.Main.PID {
				continue
			}
			if how := k.successor(ended, more); how != "" {
				return errors.New(how)
			}
		case <-k.terms:
			return errStopped
		case <-moment:
			if !k.run.Main.alive() && !k.collectable() {
				return errors.New("ended")
			}
			return nil
		}
	}
}

// giveUp clears up after a start that failed.
func (k *keeper) giveUp(cause error) report {
	if k.run.ID == "" { // nothing was begun
		return report{Failure: cause.Error()}
	}
	said := report{Failure: cause.Error()}
	if k.log != nil {
		said.Output = tail(k.log.Name(), shownLines)
	} else {
		close(k.exits)
	}
	k.over(cause.Error(), abandonWait)
	return said
}

// words are the last lines that the service printed.
func (k *keeper) words() []string {
	if k.log == nil {
		return nil
	}
	return strings.Split(tail(k.log.Name(), MaxLines), "\n")
}

// sweep ends all processes below: TERM, after some patience KILL.
func (k *keeper) sweep(patience time.Duration) {
	patient := time.After(patience)
	last := time.After(patience + killWait)
	number := syscall.SIGTERM
	signalled := map[Identity]bool{}
	for pause := time.Duration(0); ; pause = pollPause {
		select {
		case _, more := <-k.exits:
			if !more {
				return
			}
			continue
		case <-patient:
			number = syscall.SIGKILL
		case <-last:
			k.run.Reason = "some of its processes do not end, not even by signal KILL"
			return
		case <-time.After(pause):
		}
		all, err := readTable()
		if err != nil {
			continue
		}
		for _, each := range all.below(os.Getpid()) {
			if number == syscall.SIGKILL || !signalled[each] {
				signalled[each] = true
				_ = signalProcess(each, int(number)) // one that we may not signal is there still at last
			}
		}
	}
}
