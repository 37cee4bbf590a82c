package release

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// gone says whether a process ended while /proc was read: what was open answers
// ESRCH then (proc(5)).
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }
