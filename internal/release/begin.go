package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// begin makes the directory ready and returns the releases in use. From then on no
// other install works in it, until unlock.
//
// Root makes nothing in it: the directory is its owner's, who could have put a link
// where root is about to write. So root becomes the owner as soon as it has seen
// what runs, of which it alone sees all. Until unlock only this process switches
// releases, so what starts meanwhile uses the current one, which stays.
func begin(ctx context.Context, r Request) (s store, used []string, unlock func(), err error) {
	if err := makeDirectory(r.Path, r.Owner); err != nil {
		return s, nil, nil, err
	}
	if s, err = open(r.Path); err != nil {
		return s, nil, nil, err
	}
	if r.InPlace {
		s.area = inPlaceName
	}
	if err := s.obstacle(r.InPlace); err != nil {
		return s, nil, nil, err
	}
	lock, err := s.lock(ctx, r.Owner)
	if err != nil {
		return s, nil, nil, err
	}
	all, err := uses(ctx, s.path)
	if err == nil {
		err = become(r.Owner)
	}
	if err != nil {
		return s, nil, nil, errors.Join(err, lock.Close())
	}
	return s, usedReleases(all), func() { _ = lock.Close() }, nil
}

// makeDirectory makes the directory; if it is empty, it becomes the owner's.
func makeDirectory(path string, owner *Owner) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) > 0 || owner == nil {
		return err
	}
	return os.Chown(path, owner.UID, owner.GID)
}

// lockPause is how often a lock is tried for.
const lockPause = 50 * time.Millisecond

// lock takes the lock of the directory, which ends with the process (flock(2)).
func (s store) lock(ctx context.Context, owner *Owner) (*os.File, error) {
	root, err := os.OpenRoot(s.path) // whatever links there are in it, nothing is made elsewhere
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	name := filepath.Join(s.area, lockName)
	if err := root.Mkdir(s.area, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if owner != nil {
		err = errors.Join(root.Lchown(s.area, owner.UID, owner.GID), root.Lchown(name, owner.UID, owner.GID))
	}
	if err == nil {
		err = waitLock(ctx, file)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func waitLock(ctx context.Context, file *os.File) error {
	ticker := time.NewTicker(lockPause)
	defer ticker.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another sync to this directory: %w", context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// become makes the whole process the owner's, if root runs it.
func become(owner *Owner) error {
	if owner == nil || os.Geteuid() != 0 {
		return nil
	}
	if err := syscall.Setgroups(owner.Groups); err != nil {
		return fmt.Errorf("become the owner: %w", err)
	}
	if err := syscall.Setgid(owner.GID); err != nil {
		return fmt.Errorf("become the owner: %w", err)
	}
	if err := syscall.Setuid(owner.UID); err != nil {
		return fmt.Errorf("become the owner: %w", err)
	}
	syscall.Umask(0o022)
	return nil
}
