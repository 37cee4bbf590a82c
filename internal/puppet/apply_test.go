package puppet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// host is an SSH server that really runs commands, with a program called puppet
// of the test's own.
type host struct {
	*remote.Client
	state string // the node's state directory
	runs  string // a file with a line for each run of Puppet
}

// newHost makes puppet a shell script. It finds the path of h.runs in $RUNS.
func newHost(t *testing.T, puppet string) host {
	t.Helper()
	directory := t.TempDir()
	h := host{state: filepath.Join(directory, "state"), runs: filepath.Join(directory, "runs")}
	script := "#!/bin/sh\necho \"$@\" >>\"$RUNS\"\n" + puppet + "\n"
	if err := os.WriteFile(filepath.Join(directory, "puppet"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", directory+":"+os.Getenv("PATH"))
	t.Setenv("RUNS", h.runs)
	server := remotetest.Start(t, remotetest.Config{Real: true})
	keys := remote.NewHostKeys("world", filepath.Join(directory, "pins"), "")
	client, err := remote.Dial(t.Context(), server.Host("node0"), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	h.Client = client
	return h
}

func (h host) countRuns(t *testing.T) int {
	t.Helper()
	content, err := os.ReadFile(h.runs)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(content), "\n")
}

func TestApply(t *testing.T) {
	h := newHost(t, "exit 2")
	for _, step := range []struct {
		name    string
		data    Data
		force   bool
		changed bool
		runs    int
	}{
		{"first", testData(), false, true, 1},
		{"unchanged", testData(), false, false, 1},
		{"forced", testData(), true, true, 2},
		{"other data", withSecondNode(testData()), false, true, 3},
		{"unchanged again", withSecondNode(testData()), false, false, 3},
	} {
		changed, err := apply(t.Context(), h, h.state, step.data, step.force)
		if err != nil || changed != step.changed {
			t.Errorf("%s: changed = %v, %v; want %v", step.name, changed, err, step.changed)
		}
		if runs := h.countRuns(t); runs != step.runs {
			t.Errorf("%s: Puppet ran %d times, want %d", step.name, runs, step.runs)
		}
	}
	for name, want := range map[string]os.FileMode{"puppet": 0o700, "puppet/site.pp": 0o600, "puppet/data/node.json": 0o600} {
		info, err := os.Stat(filepath.Join(h.state, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %v", name, info, err, want)
		}
	}
}

func TestApplyNothingToDo(t *testing.T) {
	h := newHost(t, "exit 0")
	if changed, err := apply(t.Context(), h, h.state, testData(), false); changed || err != nil {
		t.Errorf("changed = %v, %v", changed, err)
	}
	if _, err := os.Stat(filepath.Join(h.state, digestFile)); err != nil {
		t.Error(err)
	}
}

func TestApplyFails(t *testing.T) {
	for _, code := range []string{"1", "4", "6"} {
		h := newHost(t, "echo 'Notice: before'; echo 'Error: no room on disk' >&2; echo 'Error: so nothing else' >&2; exit "+code)
		for range 2 { // a failure is not taken for done
			_, err := apply(t.Context(), h, h.state, testData(), false)
			var failed *Error
			if !errors.As(err, &failed) || err.Error() != "configure node0: Puppet: no room on disk" {
				t.Fatalf("exit status %s: %v", code, err)
			}
			if all := string(failed.Exit.Stderr); all != "Notice: before\nError: no room on disk\nError: so nothing else\n" {
				t.Errorf("whole output: %q", all)
			}
		}
		if runs := h.countRuns(t); runs != 2 {
			t.Errorf("exit status %s: Puppet ran %d times, want 2", code, runs)
		}
	}
}

func TestApplyWithoutPuppet(t *testing.T) {
	h := newHost(t, "")
	if err := os.Remove(filepath.Join(filepath.Dir(h.runs), "puppet")); err != nil {
		t.Fatal(err)
	}
	_, err := apply(t.Context(), h, h.state, testData(), false)
	if err == nil || err.Error() != "configure node0: Puppet: Puppet is not installed" {
		t.Fatal(err)
	}
	if hint := cluster.HintOf(err); hint != "install Debian's package puppet-agent on node0" {
		t.Errorf("hint: %q", hint)
	}
}

// TestApplyInterrupted kills a run in the middle: the next is a whole one.
func TestApplyInterrupted(t *testing.T) {
	h := newHost(t, `if [ ! -e "$RUNS.once" ]; then touch "$RUNS.once"; sleep 60; fi; exit 2`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := apply(ctx, h, h.state, testData(), false); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if changed, err := apply(t.Context(), h, h.state, testData(), false); !changed || err != nil {
		t.Errorf("changed = %v, %v", changed, err)
	}
	if runs := h.countRuns(t); runs != 2 {
		t.Errorf("Puppet ran %d times, want 2", runs)
	}
}

// TestApplyAtOnce runs two at once, with different data. The fake fails when it
// does not run alone.
func TestApplyAtOnce(t *testing.T) {
	h := newHost(t, `mkdir "$RUNS.busy" || exit 1; sleep 0.3; rmdir "$RUNS.busy"; exit 2`)
	var group sync.WaitGroup
	for _, data := range []Data{testData(), withSecondNode(testData())} {
		group.Go(func() {
			if changed, err := apply(t.Context(), h, h.state, data, false); !changed || err != nil {
				t.Errorf("changed = %v, %v", changed, err)
			}
		})
	}
	group.Wait()
}

// TestScriptRefusesHalf gives the script what a broken connection would.
func TestScriptRefusesHalf(t *testing.T) {
	h := newHost(t, "exit 2")
	content, digest, err := bundle(testData())
	if err != nil {
		t.Fatal(err)
	}
	half := strings.NewReader(string(content[:len(content)/1024*512]))
	_, err = h.Run(t.Context(), remote.Command{
		Argv: []string{"sh", "-c", lockScript + applyScript, "sirikata-puppet", digest, h.state}, Stdin: half,
	})
	var exit *remote.ExitError
	if !errors.As(err, &exit) || exit.Code != 74 {
		t.Errorf("got %v, want exit status 74", err)
	}
	if runs := h.countRuns(t); runs != 0 {
		t.Error("Puppet ran")
	}
}

func TestApplyRefusesData(t *testing.T) {
	data := withSecondNode(testData())
	data.Corosync.AuthKey, data.Corosync.TwoNode, data.Node.Name = []byte("short"), false, "node9"
	_, err := apply(t.Context(), newHost(t, ""), t.TempDir(), data, false)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"5 bytes", "two_node is false for 2 nodes", `"node9" is not among`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
