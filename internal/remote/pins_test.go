package remote_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// TestPinsAtOnce lets several users of one file, each like a process of its own,
// pin, trust and forget at the same time. No change may be lost.
func TestPinsAtOnce(t *testing.T) {
	const writers, each = 4, 8
	path := filepath.Join(t.TempDir(), "new", "pins")
	key, former := remotetest.NewKey(t).PublicKey(), remotetest.NewKey(t).PublicKey()
	setUp := remote.NewHostKeys("world", path, "")
	for i := range writers {
		if err := setUp.Pin(fmt.Sprintf("gone%d", i), former); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			keys := remote.NewHostKeys("world", path, "")
			if err := keys.Forget(fmt.Sprintf("gone%d", writer)); err != nil {
				t.Error(err)
			}
			for i := range each {
				host := remote.Host{Name: fmt.Sprintf("node%d-%d", writer, i), Addr: "192.0.2.1:22", HostKey: key}
				if err := keys.EnsurePinned(host); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for writer := range writers {
		if _, ok := setUp.Known(fmt.Sprintf("gone%d", writer)); ok {
			t.Errorf("gone%d is back", writer)
		}
		for i := range each {
			if _, ok := setUp.Known(fmt.Sprintf("node%d-%d", writer, i)); !ok {
				t.Errorf("node%d-%d is lost", writer, i)
			}
		}
	}
}

// TestFirstContactAtOnce dials many nodes of a new cluster at the same time, some
// of them twice.
func TestFirstContactAtOnce(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	keys := newKeys(t)
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() { mustDial(t, server.Host(fmt.Sprintf("node%d", i/2)), keys) })
	}
	group.Wait()
	for i := range 6 {
		if key, ok := keys.Known(fmt.Sprintf("node%d", i)); !ok || !equalKeys(key, server.HostKey()) {
			t.Errorf("node%d is not pinned", i)
		}
	}
}

func TestPinFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins")
	old, key := remotetest.NewKey(t).PublicKey(), remotetest.NewKey(t).PublicKey()
	writeFile(t, path, "# by hand\nnode1 "+authorized(old)+"node10 "+authorized(old))
	keys := remote.NewHostKeys("world", path, "")
	if err := keys.Pin("node1", key); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# by hand\nnode10 " + authorized(old) + "node1 " + authorized(key); string(text) != want {
		t.Errorf("pins are\n%s\nwant\n%s", text, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}

// TestPinsUnreadable: what cannot be read must not make a host look new.
func TestPinsUnreadable(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	path := filepath.Join(t.TempDir(), "pins")
	writeFile(t, path, "# fine\nnode2 ssh-ed25519 cut\n")
	keys := remote.NewHostKeys("world", path, "")
	_, err := remote.Dial(testContext(t), server.Host("node2"), keys)
	if err == nil || !strings.Contains(err.Error(), path+":2: ") || remote.Retryable(err) {
		t.Errorf("error is %v", err)
	}
	if err := keys.Pin("node2", server.HostKey()); err == nil {
		t.Error("it was written over")
	}
}

// TestPinsUnwritable: no retry makes the file writable.
func TestPinsUnwritable(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	path := filepath.Join(t.TempDir(), "pins")
	if err := os.Mkdir(path+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := remote.Dial(testContext(t), server.Host("node2"), remote.NewHostKeys("world", path, ""))
	if err == nil || remote.Retryable(err) || !strings.HasPrefix(err.Error(), "pin host key of node2: lock ") {
		t.Errorf("error is %v", err)
	}
}

func TestPinNames(t *testing.T) {
	key := remotetest.NewKey(t).PublicKey()
	for _, name := range []string{"", "*", "a,b", "a b", "!a", "|1|x|y", "#a", "a\nb", "@revoked"} {
		if err := newKeys(t).Pin(name, key); err == nil {
			t.Errorf("%q was pinned", name)
		}
	}
}
