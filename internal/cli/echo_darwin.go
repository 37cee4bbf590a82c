package cli

import "golang.org/x/sys/unix"

// The requests of ioctl(2) for the attributes of a terminal (tty(4)).
const (
	getAttributes = unix.TIOCGETA
	setAttributes = unix.TIOCSETA
)
