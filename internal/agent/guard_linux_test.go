package agent

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestGuardWatchesProcesses has the kernel tell of the death of a process that
// bears a daemon's name.
func TestGuardWatchesProcesses(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), corosyncName)
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := uint32(cmd.Process.Pid)
	f := fullNode()
	f.members = map[string][]uint32{corosyncUnit: {pid}}
	var log bytes.Buffer
	g := fakeGuard(f, &log)
	g.watch, g.inspect = openProcesses, readProcess
	if dead, err := g.look(context.Background()); err != nil || len(dead) > 0 || len(g.daemons) != 1 {
		t.Fatalf("look: %v, %v; watched: %v", dead, err, g.daemons)
	}
	if dead := g.wait(context.Background(), 20*time.Millisecond); len(dead) > 0 {
		t.Fatalf("%v is said to be dead", dead)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if dead := g.wait(context.Background(), 10*time.Second); !slices.Equal(dead, g.daemons) {
		t.Errorf("dead: %v, want %v", dead, g.daemons)
	}
	_ = cmd.Wait() // killed
	g.forget(nil)
	// It is listed still, but no such process is there.
	if _, err := g.look(context.Background()); err != nil {
		t.Fatal(err)
	}
	if dead := g.wait(context.Background(), 10*time.Second); len(dead) != 1 {
		t.Errorf("dead: %v, want one", dead)
	}
	g.forget(g.daemons)
}
