package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

func TestWriteFile(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	client := connect(t, server)
	for _, test := range []struct {
		name    string
		path    string
		mode    fs.FileMode
		content string
	}{
		{"new", "file", 0o644, "text\n"},
		{"over another", "file", 0o600, "other"},
		{"empty", "empty", 0o755, ""},
		{"new directories", "a/b c/it's", 0o400, "x"},
		{"over a read-only one", "a/b c/it's", 0o000, "y"},
		{"like an option", "-f", 0o644, "z"},
		{"large", "large", 0o644, strings.Repeat("\x00\xff\n", 3<<20)},
	} {
		for _, base := range []string{"", server.Root + "/"} {
			if err := client.WriteFile(testContext(t), base+test.path, test.mode, strings.NewReader(test.content)); err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			checkFile(t, filepath.Join(server.Root, test.path), test.mode, test.content)
		}
	}
	info, err := os.Stat(filepath.Join(server.Root, "a", "b c"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("a new directory has mode %v, %v", info.Mode(), err)
	}
	checkNames(t, filepath.Join(server.Root, "a", "b c"), "it's")
}

// TestWriteFileReplacesLink: what the link leads to is somebody else's.
func TestWriteFileReplacesLink(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	writeFile(t, filepath.Join(server.Root, "target"), "old")
	if err := os.Symlink("target", filepath.Join(server.Root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, server).WriteFile(testContext(t), "link", 0o644, strings.NewReader("new")); err != nil {
		t.Fatal(err)
	}
	checkFile(t, filepath.Join(server.Root, "link"), 0o644, "new")
	checkFile(t, filepath.Join(server.Root, "target"), 0o600, "old")
}

func TestWriteFileOnDirectory(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	if err := os.Mkdir(filepath.Join(server.Root, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := connect(t, server).WriteFile(testContext(t), server.Root+"/dir", 0o644, strings.NewReader("x"))
	wantText(t, err, server.Root, `write "ADDR/dir" on node2: exit status 1: it is a directory`)
	checkNames(t, filepath.Join(server.Root, "dir"))
}

// TestWriteFileCut ends the transfer in the middle, in every way that there is.
func TestWriteFileCut(t *testing.T) {
	for name, test := range map[string]struct {
		cut  func(*remotetest.Server, *remote.Client, context.CancelCauseFunc) error
		want error
	}{
		"broken off": {func(s *remotetest.Server, _ *remote.Client, _ context.CancelCauseFunc) error {
			s.Drop()
			return io.EOF
		}, remote.ErrUnreachable},
		"closed": {func(_ *remotetest.Server, c *remote.Client, _ context.CancelCauseFunc) error {
			_ = c.Close()
			return io.EOF
		}, net.ErrClosed},
		"cancelled": {func(_ *remotetest.Server, _ *remote.Client, cancel context.CancelCauseFunc) error {
			cancel(errBroken)
			return io.EOF
		}, errBroken},
		"unreadable": {func(*remotetest.Server, *remote.Client, context.CancelCauseFunc) error {
			return errBroken
		}, errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			server := remotetest.Start(t, remotetest.Config{Real: true})
			client := connect(t, server)
			writeFile(t, filepath.Join(server.Root, "file"), "old")
			ctx, cancel := context.WithCancelCause(testContext(t))
			content := io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), readFunc(func([]byte) (int, error) {
				waitFor(t, "half of the content", func() bool { return newFileSize(server.Root) > 1<<19 })
				return 0, test.cut(server, client, cancel)
			}), blocked(t))
			if err := client.WriteFile(ctx, "file", 0o644, content); !errors.Is(err, test.want) {
				t.Errorf("error is %v", err)
			}
			server.Idle()
			checkFile(t, filepath.Join(server.Root, "file"), 0o600, "old")
			checkNames(t, server.Root, "file")
		})
	}
}

var errBroken = errors.New("broken")

// newFileSize is the size of the file that is being written in dir.
func newFileSize(dir string) int64 {
	names, _ := filepath.Glob(filepath.Join(dir, ".new-*"))
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			return info.Size()
		}
	}
	return 0
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func checkFile(t *testing.T, path string, mode fs.FileMode, content string) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Error(err)
		return
	}
	if info.Mode() != mode {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), mode)
	}
	if os.Geteuid() != 0 && mode&0o400 == 0 {
		return // not for us to read
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Errorf("%s holds %d bytes, want %d; %v", path, len(got), len(content), err)
	}
}

func checkNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s holds %q, want %q", dir, names, want)
	}
}
