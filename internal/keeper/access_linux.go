package keeper

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MayExecute asks the kernel whether the account may execute the file, or
// enter the directory, at path; so ACLs, mount options and remote file systems
// have their say.
//
// The question is asked by a thread that takes on the account's file system
// ids (setfsuid(2)), by which the kernel also drops root's powers over files.
// The thread ends with its goroutine, because that stays locked to it.
func MayExecute(who Account, path string) error {
	if os.Geteuid() != 0 {
		return unix.Access(path, unix.X_OK)
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- accessAs(who, path)
	}()
	return <-done
}

func accessAs(who Account, path string) error {
	// The raw call is for this thread only; unix.Setgroups may be for all.
	var first unsafe.Pointer
	if len(who.Groups) > 0 {
		first = unsafe.Pointer(&who.Groups[0])
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(who.Groups)), uintptr(first), 0); errno != 0 {
		return errno
	}
	if err := unix.Setfsgid(int(who.GID)); err != nil {
		return err
	}
	if err := unix.Setfsuid(int(who.UID)); err != nil {
		return err
	}
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}
