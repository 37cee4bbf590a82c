package keeper

import (
	"errors"

	"golang.org/x/sys/unix"
)

// becomeSubreaper makes this process the parent of descendants whose own parents
// end (prctl(2)), so that a daemon which forks twice stays below it.
func becomeSubreaper() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// signalProcess sends a signal to that very process, and to none that has its id
// by now. One that is gone is no error. A kernel before Linux 5.3 has no pidfd to
// hold on to it; there, its id would have to be given to another in the moment
// between the look and the signal.
func signalProcess(who Identity, number int) error {
	fd, err := unix.PidfdOpen(who.PID, 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM): // EPERM: of a sandbox
		if !who.alive() {
			return nil
		}
		return gone(unix.Kill(who.PID, unix.Signal(number)))
	case err != nil:
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if !who.alive() {
		return nil
	}
	return gone(unix.PidfdSendSignal(fd, unix.Signal(number), nil, 0))
}

func gone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}
