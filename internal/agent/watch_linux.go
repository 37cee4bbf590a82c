package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// pidfds watches processes by handles that, unlike process ids, are never
// reused (pidfd_open(2)).
type pidfds struct {
	fds  []unix.PollFd
	pids []uint32
	dead []uint32 // were dead already
}

func openProcesses(pids []uint32) (watcher, error) {
	w := &pidfds{}
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(int(pid), 0)
		switch {
		case errors.Is(err, unix.ESRCH):
			w.dead = append(w.dead, pid)
		case err != nil:
			w.close()
			return nil, fmt.Errorf("watch process %d: %w", pid, err)
		default:
			w.fds = append(w.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
			w.pids = append(w.pids, pid)
		}
	}
	return w, nil
}

func (w *pidfds) close() {
	for _, fd := range w.fds {
		// Read only: there is nothing that closing could lose.
		_ = unix.Close(int(fd.Fd))
	}
}

// wait polls in a goroutine of its own. When ctx is cancelled before its
// deadline, that goroutine stays until the deadline; the program ends earlier.
func (w *pidfds) wait(ctx context.Context) ([]uint32, error) {
	if len(w.dead) > 0 || len(w.fds) == 0 {
		return w.dead, nil
	}
	type result struct {
		dead []uint32
		err  error
	}
	done := make(chan result, 1)
	deadline, _ := ctx.Deadline()
	go func() {
		dead, err := w.poll(deadline)
		done <- result{dead, err}
	}()
	select {
	case <-ctx.Done():
		return nil, nil
	case r := <-done:
		return r.dead, r.err
	}
}

func (w *pidfds) poll(deadline time.Time) ([]uint32, error) {
	for {
		left := max(time.Until(deadline).Milliseconds(), 0)
		n, err := unix.Poll(w.fds, int(left))
		if errors.Is(err, unix.EINTR) {
			continue // signal(7): the runtime's own signals end a poll(2)
		}
		if err != nil || n == 0 {
			return nil, err
		}
		var dead []uint32
		for i, fd := range w.fds {
			if fd.Revents != 0 {
				dead = append(dead, w.pids[i])
			}
		}
		return dead, nil
	}
}
