package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// holderDir tells this test binary, when it runs as a child, to take the lock
// of the cluster "world" there and hold it until its input ends.
const holderDir = "STORE_TEST_HOLDER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holderDir); dir != "" {
		if _, err := Open(dir).Lock("world", "nodes boot"); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// holder starts another process that holds the lock.
func holder(t *testing.T, s *Store) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holderDir+"="+s.Dir())
	if _, err := cmd.StdinPipe(); err != nil { // kept open
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return cmd
}

func TestLockOfAnotherProcess(t *testing.T) {
	s := testStore(t)
	other := holder(t, s)
	_, err := s.Lock("world", "mine")
	want := fmt.Sprintf(`cluster "world": another command is working on this cluster: process %d (nodes boot)`, other.Process.Pid)
	if !errors.Is(err, cluster.ErrLocked) || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
	if hint := cluster.HintOf(err); !strings.Contains(hint, fmt.Sprintf("ps -fp %d", other.Process.Pid)) {
		t.Errorf("hint %q", hint)
	}
	// A crash leaves nothing locked.
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	unlock, err := s.Lock("world", "mine")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockTwice(t *testing.T) {
	s := testStore(t)
	unlock, err := s.Lock("world", "first")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Lock("world", "second")
	if want := fmt.Sprintf("process %d (first)", os.Getpid()); !errors.Is(err, cluster.ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v lacks %q", err, want)
	}
	unlock()
	unlock()
	again, err := s.Lock("world", "third")
	if err != nil {
		t.Fatal(err)
	}
	unlock() // a late one must not take it away from the third
	if _, err := s.Lock("world", "fourth"); !errors.Is(err, cluster.ErrLocked) {
		t.Errorf("error %v, want %v", err, cluster.ErrLocked)
	}
	again()
}

// TestLockExcludes: of many at once at most one holds the lock, also while the
// cluster is removed and made again under it.
func TestLockExcludes(t *testing.T) {
	s := testStore(t)
	var (
		wait   sync.WaitGroup
		inside atomic.Int32
		held   atomic.Int32
	)
	for range 8 {
		wait.Go(func() {
			for range 100 {
				unlock, err := s.Lock("world", "x")
				if err != nil {
					if !errors.Is(err, cluster.ErrLocked) && !isNotFound(err) {
						t.Error(err)
					}
					continue
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				inside.Add(-1)
				if err := s.Remove("world"); err != nil {
					t.Error(err)
				}
				if _, err := s.Create(testSpec("world")); err != nil {
					t.Error(err)
				}
				unlock()
			}
		})
	}
	wait.Wait()
	if held.Load() == 0 {
		t.Error("nobody ever held it")
	}
}

func TestLockWhileRemoved(t *testing.T) {
	s := testStore(t)
	unlock, err := s.Lock("world", "destroy")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("world"); err != nil {
		t.Fatal(err)
	}
	unlock()
	if _, err := s.Lock("world", "next"); !isNotFound(err) {
		t.Errorf("error %v, want not found", err)
	}
}
