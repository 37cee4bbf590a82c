package direct

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
)

// TestBrokenWorkspace has a workspace path in which nothing can be written.
func TestBrokenWorkspace(t *testing.T) {
	f := newFleet(t, 2)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.spec.Hosts[0].WorkspacePath = file
	e := f.engine(t)
	_, err := e.Add(within(t), []cluster.Service{sleeper("a", "node0")})
	if err == nil || !strings.Contains(err.Error(), "Not a directory") || !strings.Contains(err.Error(), "node0") {
		t.Errorf("error %v", err)
	}
	if hint := cluster.HintOf(err); hint != file+` of node0 must be a directory that "tester" may write to, with room for 10 MB, and run programs from` {
		t.Errorf("hint %q", hint)
	}
}

// TestInstallAtOnce has several operators meet new nodes at the same time, and
// then leaves nothing but the program.
func TestInstallAtOnce(t *testing.T) {
	f := newFleet(t, 1)
	var group sync.WaitGroup
	for _, id := range []string{"a", "b", "c"} {
		e := f.engine(t)
		group.Go(func() {
			if _, err := e.Add(within(t), []cluster.Service{sleeper(id, "node0")}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	bin, err := os.ReadDir(filepath.Join(f.servers[0].Root, beside.StateDirectory, "world", "bin"))
	if err != nil || len(bin) != 1 {
		t.Errorf("programs %v, %v", bin, err)
	}
	if n := len(status(t, f.engine(t)).Services); n != 3 {
		t.Errorf("%d services", n)
	}
}

// TestNoExec has a file system that runs no programs, in the words of a shell.
func TestNoExec(t *testing.T) {
	f := newFleet(t, 1)
	e := f.engine(t)
	add(t, e, sleeper("a", "node0"))
	programs, err := filepath.Glob(filepath.Join(f.servers[0].Root, beside.StateDirectory, "world", "bin", "*"))
	if err != nil || len(programs) != 1 {
		t.Fatal(programs, err)
	}
	if err := os.Chmod(programs[0], 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(programs[0], 0o755)
	_, err = e.Services(within(t))
	if err == nil || !strings.Contains(err.Error(), "may not be executed on node0: is its file system mounted noexec?") {
		t.Errorf("error %v", err)
	}
	if got := status(t, e); got.Nodes[0].State != cluster.Online || len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "node0 cannot tell what it runs: ") {
		t.Errorf("status %+v", got)
	}
}

func TestLeave(t *testing.T) {
	f := newFleet(t, 2)
	f.spec.Hosts[1].WorkspacePath = f.spec.Hosts[0].WorkspacePath // a shared home directory
	e := f.engine(t)
	state := filepath.Join(f.servers[0].Root, beside.StateDirectory)
	add(t, e, sleeper("a", "node0"), sleeper("b", "node1"))
	if err := e.Leave(within(t), "node0"); err == nil || err.Error() != "node0: it still has services: a" {
		t.Errorf("error %v", err)
	}
	if err := e.Remove(within(t), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	if err := e.Leave(within(t), "node0"); err != nil {
		t.Fatal(err)
	}
	if got := status(t, e).Services; len(got) != 1 || got[0].ID != "b" || got[0].State != cluster.Running {
		t.Errorf("services %v", got)
	}
	if err := e.Remove(within(t), []string{"b"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Leave(within(t), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(state); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("something is left: %v", err)
		}
	}
}
