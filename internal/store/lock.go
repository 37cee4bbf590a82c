package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gofrs/flock"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Lock keeps other commands away from the cluster until unlock is called or
// the process ends, however it ends. It does not wait: if another holds it, the
// error wraps [cluster.ErrLocked] and names that one's process and command.
// unlock may be called twice.
func (s *Store) Lock(name, command string) (unlock func(), err error) {
	if err := s.exists(name); err != nil {
		return nil, err
	}
	path := s.path(name, lockFile)
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(fileMode))
	taken, err := lock.TryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist): // Remove was faster
		return nil, cmp.Or(s.exists(name), lockedError(name, path))
	case err != nil:
		return nil, explain("lock", path, err)
	case !taken:
		return nil, lockedError(name, path)
	}
	// Looked at again: between the first look and the lock, Remove may have
	// taken the cluster away, and Create may be at work on the next.
	same, err := isAt(lock, path)
	if err == nil {
		err = s.exists(name)
	}
	if err == nil && !same {
		err = lockedError(name, path)
	}
	if err != nil {
		closeLock(lock)
		return nil, err
	}
	// Written in place: a renamed file would be another one than is locked.
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d %s\n", os.Getpid(), command), fileMode); err != nil {
		closeLock(lock)
		return nil, explain("write", path, err)
	}
	return func() {
		if same, err := isAt(lock, path); err == nil && same {
			_ = os.Truncate(path, 0) // or the next one would be told of us
		}
		closeLock(lock)
	}, nil
}

// closeLock gives the lock up. Closing a file cannot leave it locked.
func closeLock(lock *flock.Flock) { _ = lock.Close() }

func isAt(lock *flock.Flock, path string) (bool, error) {
	held, err := lock.Stat()
	if err != nil {
		return false, explain("lock", path, err)
	}
	now, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, explain("lock", path, err)
	}
	return os.SameFile(held, now), nil
}

// lockedError says who holds the lock. The file is empty for the instant
// between locking and writing it.
func lockedError(name, path string) error {
	err := fmt.Errorf("cluster %q: %w", name, cluster.ErrLocked)
	text, _ := os.ReadFile(path) // only to say more
	pid, command, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if pid == "" {
		return cluster.WithHint(err, "wait until it is done")
	}
	return cluster.WithHint(fmt.Errorf("%w: process %s (%s)", err, pid, command),
		"wait until it is done, or look at it with ps -fp %s", pid)
}
