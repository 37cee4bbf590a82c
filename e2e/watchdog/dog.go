//go:build lab

package watchdog

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// dog is one watchdog.
type dog struct {
	fs.Inode
	reset func()

	mu      sync.Mutex
	timeout time.Duration
	timer   *time.Timer // nil while it is not armed
	held    bool        // by a process
	magic   bool        // the last that was written ends with V
}

var (
	_ fs.NodeOpener    = (*dog)(nil)
	_ fs.NodeGetattrer = (*dog)(nil)
	_ fs.NodeSetattrer = (*dog)(nil)
	_ fs.NodeWriter    = (*dog)(nil)
	_ fs.NodeIoctler   = (*dog)(nil)
	_ fs.NodeReleaser  = (*dog)(nil)
)

// defaultTimeout is that of most of the kernel's drivers.
const defaultTimeout = time.Minute

// Getattr says that only root may use it.
func (d *dog) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = syscall.S_IFREG | 0o600
	return fs.OK
}

// Setattr lets a shell open it with ">".
func (d *dog) Setattr(ctx context.Context, f fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return d.Getattr(ctx, f, out)
}

// Open arms it.
func (d *dog) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held {
		return nil, 0, syscall.EBUSY
	}
	d.held, d.magic = true, false
	if d.timer == nil {
		d.timer = time.AfterFunc(d.timeout, d.bite)
	}
	d.timer.Reset(d.timeout)
	return d, fuse.FOPEN_DIRECT_IO, fs.OK // without a handle it would not hear of the end
}

// Write keeps it alive, whatever is written.
func (d *dog) Write(_ context.Context, _ fs.FileHandle, data []byte, _ int64) (uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.magic = bytes.HasSuffix(data, []byte("V"))
	d.keepAlive()
	return uint32(len(data)), fs.OK
}

// Release disarms it after a magic close. After any other it goes on.
func (d *dog) Release(context.Context, fs.FileHandle) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = false
	if d.magic && d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	return fs.OK
}

// The numbers of linux/watchdog.h.
const (
	getSupport = 0x80285700
	keepAlive  = 0x80045705
	setTimeout = 0xc0045706
	getTimeout = 0x80045707

	canSetTimeout = 0x80
	magicClose    = 0x100
	canKeepAlive  = 0x8000
)

// Ioctl does what the kernel's API has for it and sbd uses.
func (d *dog) Ioctl(_ context.Context, _ fs.FileHandle, cmd uint32, _ uint64, input, output []byte) (int32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch cmd {
	case getSupport:
		binary.NativeEndian.PutUint32(output, canSetTimeout|magicClose|canKeepAlive)
		copy(output[8:], "watchdog of the lab")
	case keepAlive:
		d.keepAlive()
	case setTimeout:
		seconds := binary.NativeEndian.Uint32(input)
		if seconds == 0 {
			return 0, syscall.EINVAL
		}
		d.timeout = time.Duration(seconds) * time.Second
		d.keepAlive()
		copy(output, input)
	case getTimeout:
		binary.NativeEndian.PutUint32(output, uint32(d.timeout/time.Second))
	default:
		return 0, syscall.ENOTTY
	}
	return 0, fs.OK
}

// keepAlive begins the time-out anew. One that has bitten is not armed by it.
func (d *dog) keepAlive() {
	if d.timer != nil {
		d.timer.Reset(d.timeout)
	}
}

// bite resets the host, and begins anew with it: not armed.
func (d *dog) bite() {
	d.disarm()
	d.reset()
}

func (d *dog) disarm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.timeout = defaultTimeout
}
