package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// reported is what is printed for an error, and the exit code.
func reported(ctx context.Context, t *testing.T, err error) (text string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	a := &app{out: &out, err: &errOut}
	code = a.report(ctx, err)
	if out.Len() > 0 {
		t.Errorf("%v went to standard output: %s", err, out.String())
	}
	return errOut.String(), code
}

func TestExitCodes(t *testing.T) {
	notFound := &cluster.NotFoundError{Kind: "cluster", Name: "a"}
	remote := &nodegroup.ExitError{Node: "node0", Argv: []string{"x"}, Code: 7}
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, exitDone},
		{"any", errors.New("it rains"), exitError},
		{"usage", usagef("no"), exitUsage},
		{"hinted usage", cluster.WithHint(usagef("no"), "yes"), exitUsage},
		{"invalid", fmt.Errorf("add: %w", &cluster.InvalidError{}), exitUsage},
		{"state", stateError{usagef("it does not run")}, exitNot},
		{"some nodes", errors.Join(someNodesError{remote}, someNodesError{notFound}), exitSomeNodes},
		{"not found", fmt.Errorf("add: %w", notFound), exitNotFound},
		{"one of several not found", errors.Join(errors.New("it rains"), notFound), exitNotFound},
		{"locked", fmt.Errorf("boot: %w", cluster.ErrLocked), exitLocked},
		{"taken", cluster.ErrServiceExists, exitError},
		{"no nodes", nodegroup.ErrNoNodes, exitError},
		{"remote", remote, exitError},
		{"of a remote command", exitStatus(42), 42},
		{"of a remote command that is done", exitStatus(0), 0},
		{"timed out", context.DeadlineExceeded, exitError},
		{"cancelled otherwise", context.Canceled, exitError},
	} {
		if _, code := reported(t.Context(), t, test.err); code != test.want {
			t.Errorf("%s: exit code %d, want %d", test.name, code, test.want)
		}
	}
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	if _, code := reported(interrupted, t, notFound); code != exitInterrupted {
		t.Errorf("interrupted: exit code %d", code)
	}
	if _, code := reported(interrupted, t, nil); code != exitDone {
		t.Errorf("interrupted when it was done: exit code %d", code)
	}
}

func TestExitCodesAreDocumented(t *testing.T) {
	var codes []int
	for _, row := range exitCodes() {
		codes = append(codes, row.code)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 130}, codes); diff != "" {
		t.Error(diff)
	}
}

func TestReport(t *testing.T) {
	const e = "sirikata-cluster: error: "
	rain := cluster.WithHint(errors.New("it rains"), "wait")
	oneLine := &nodegroup.ExitError{Node: "node0", Argv: []string{"cat"}, Code: 1, Stderr: []byte("no such file\n")}
	lines := &nodegroup.ExitError{Node: "node0", Argv: []string{"puppet"}, Code: 4, Stderr: []byte("\nfirst\r\n  second\n\n")}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"status", exitStatus(3), ""},
		{"plain", errors.New("it rains"), e + "it rains\n"},
		{"hint", fmt.Errorf("go out: %w", rain), e + "go out: it rains\nsirikata-cluster: hint: wait\n"},
		{"joined", errors.Join(rain, nil, errors.Join(errors.New("two"), errors.New("three"))),
			e + "it rains\nsirikata-cluster: hint: wait\n" + e + "two\n" + e + "three\n"},
		{"a join inside", fmt.Errorf("go: %w", errors.Join(errors.New("one"), errors.New("two"))), e + "go: one\n    two\n"},
		{"two causes in one sentence", fmt.Errorf("wait: %w; at last: %w", errors.New("gave up"), rain),
			e + "wait: gave up; at last: it rains\nsirikata-cluster: hint: wait\n"},
		{"standard error of one line is in the message", oneLine, e + `run "cat" on node0: exit status 1: no such file` + "\n"},
		{"standard error", fmt.Errorf("boot: %w", lines),
			e + `boot: run "puppet" on node0: exit status 4: second` + "\n  its standard error:\n    first\n      second\n"},
		{"output", &nodegroup.OutputError{Err: rain, Output: "loading\nno world"},
			e + "it rains\n  it printed last:\n    loading\n    no world\nsirikata-cluster: hint: wait\n"},
		{"hint of a node", someNodesError{&cluster.NodeError{Node: "node1", Err: rain}},
			e + "node1: it rains\nsirikata-cluster: hint: wait\n"},
		{"output of a node was shown already", someNodesError{lines}, e + `run "puppet" on node0: exit status 4: second` + "\n"},
	} {
		got, _ := reported(t.Context(), t, test.err)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestSplitOfNothing has a join of no errors at all.
func TestSplitOfNothing(t *testing.T) {
	if got := split(none{}); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

type none struct{}

func (none) Error() string   { return "none" }
func (none) Unwrap() []error { return nil }

func TestUnfinished(t *testing.T) {
	t.Setenv("SIRIKATA_CLUSTER_HOME", t.TempDir())
	a := &app{out: io.Discard, err: io.Discard, env: nodegroup.FromEnv}
	if err := a.createLocal(nodegroup.LocalSpec("demo", 1, cluster.LAN)); err != nil {
		t.Fatal(err)
	}
	ng, err := a.open(t.Context(), "demo", "")
	if err != nil {
		t.Fatal(err)
	}
	const left = "what was done stays; complete it with sirikata-cluster local nodes boot demo, or release the nodes with nodes terminate"
	for _, test := range []struct {
		err  error
		hint string
	}{
		{nil, ""},
		{errors.New("gave up"), left},
		{cluster.WithHint(errors.New("no engine"), "start it"), "start it"},
		{fmt.Errorf("cluster: %w", cluster.ErrLocked), ""},
	} {
		got := a.unfinished(ng, test.err, "nodes boot")
		if hint := cluster.HintOf(got); !errors.Is(got, test.err) || hint != test.hint {
			t.Errorf("%v: %v with hint %q, want %q", test.err, got, hint, test.hint)
		}
	}
}
