//go:build lab

// Package watchdog plays the hardware watchdogs of hosts that are containers: files of
// a file system of its own, each of which is mounted into a container as
// /dev/watchdog. As with hardware, the line that resets a host is outside of it: what
// runs there, or does not run any more, cannot hold it.
//
// It keeps to the kernel's watchdog API (Documentation/watchdog/watchdog-api.rst):
// one process at a time; armed by open, kept alive by write and ioctl, disarmed by a
// close after the letter V, and by nothing else.
//
// It needs root and /dev/fuse. Start at [Mount].
package watchdog

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Rack is a directory with a watchdog for each host.
type Rack struct {
	directory string
	root      *fs.Inode
	server    *fuse.Server
}

// Mount makes a rack of an empty directory. [Rack.Close] ends it.
func Mount(directory string) (*Rack, error) {
	root := &fs.Inode{}
	server, err := fs.Mount(directory, root, &fs.Options{MountOptions: fuse.MountOptions{
		// By mount(2): there need be no fusermount. Not for root alone: what sees the
		// files by a mount of its own is another namespace.
		DirectMountStrict: true, AllowOther: true, FsName: "watchdogs",
	}})
	if err != nil {
		return nil, fmt.Errorf("mount watchdogs on %s: %w", directory, err)
	}
	return &Rack{directory: directory, root: root, server: server}, nil
}

// Add makes the watchdog of a host, and returns its file. reset is called, in a
// goroutine of its own, each time that nobody has kept it alive for its time-out.
func (r *Rack) Add(host string, reset func()) string {
	dog := &dog{reset: reset, timeout: defaultTimeout}
	r.root.AddChild(host, r.root.NewPersistentInode(context.Background(), dog, fs.StableAttr{Mode: syscall.S_IFREG}), false)
	return r.directory + "/" + host
}

// Close ends all watchdogs; none resets anything any more. The files must be in use
// nowhere.
func (r *Rack) Close() error {
	for _, child := range r.root.Children() {
		child.Operations().(*dog).disarm()
	}
	if err := r.server.Unmount(); err != nil {
		return fmt.Errorf("unmount watchdogs: %w", err)
	}
	return nil
}
