package agent

import "golang.org/x/sys/unix"

// lockMemory keeps what the program has used of its memory from being paged
// out: daemons die when memory is short, and then it has to be quick.
func lockMemory() error {
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}
