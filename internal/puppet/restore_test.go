package puppet

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// script is a host that answers one script.
type script struct {
	t      *testing.T
	name   string // of the script
	stdout string
	code   int
	stderr string
	stdin  string // what it got
}

func (s *script) Name() string { return "node0" }

func (s *script) Run(_ context.Context, cmd remote.Command) (remote.Result, error) {
	if len(cmd.Argv) < 7 || cmd.Argv[3] != s.name || cmd.Argv[4] != "/state" || cmd.Argv[5] != "world" || cmd.Argv[6] != cluster.NodeFilePath ||
		!strings.Contains(cmd.Argv[len(cmd.Argv)-1], "apt-get") {
		s.t.Errorf("unexpected: %q", cmd.Argv)
	}
	if cmd.Stdin != nil {
		text, err := io.ReadAll(cmd.Stdin)
		if err != nil {
			s.t.Error(err)
		}
		s.stdin = string(text)
	}
	result := remote.Result{Stdout: []byte(s.stdout), Stderr: []byte(s.stderr)}
	if s.code != 0 {
		return result, &remote.ExitError{Node: "node0", Argv: cmd.Argv, Code: s.code, Stdout: result.Stdout, Stderr: result.Stderr}
	}
	return result, nil
}

func TestPrepare(t *testing.T) {
	node := testData().Node
	host := &script{t: t, name: "sirikata-prepare"}
	if err := prepare(t.Context(), host, "/state", node, false); err != nil {
		t.Error(err)
	}
	if host.stdin != touchedFor(node, false) {
		t.Errorf("to be recorded: %q", host.stdin)
	}
}

func TestHostErrors(t *testing.T) {
	for _, test := range []struct {
		code              int
		stderr, err, hint string
	}{
		{69, "it does not run systemd\n", "prepare node0: it does not run systemd", "systemd: Puppet 7, Corosync 3 and Pacemaker 2.1"},
		{69, "it belongs to cluster \"moon\"\n", `prepare node0: it belongs to cluster "moon"`, `terminate cluster "moon"`},
		{69, "it runs Corosync for a cluster that is not of sirikata-cluster\n", "prepare node0: it runs Corosync for a cluster that is not of sirikata-cluster", "pcs cluster node remove"},
		{69, "W: old\n" + wouldRemove + ": heartbeat\n", "prepare node0: " + wouldRemove + ": heartbeat", hintWouldRemove},
		{100, "E: no such package\n", "E: no such package", ""},
	} {
		err := prepare(t.Context(), &script{t: t, name: "sirikata-prepare", code: test.code, stderr: test.stderr}, "/state", testData().Node, false)
		if err == nil || !strings.HasPrefix(err.Error(), "prepare node0: ") || !strings.HasSuffix(err.Error(), test.err) {
			t.Errorf("%q: %v", test.stderr, err)
		}
		if hint := cluster.HintOf(err); !strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%q: hint %q", test.stderr, hint)
		}
	}
}

func TestRestore(t *testing.T) {
	host := &script{t: t, name: "sirikata-restore", stdout: "/srv: it is not empty\nuser sirikata: it is logged in\n"}
	left, err := restore(t.Context(), host, "/state", "world")
	if want := []string{"/srv: it is not empty", "user sirikata: it is logged in"}; err != nil || !reflect.DeepEqual(left, want) {
		t.Errorf("got %q, %v; want %q", left, err, want)
	}
	host.code, host.stderr = 69, "it belongs to cluster \"moon\"\n"
	if left, err := restore(t.Context(), host, "/state", "world"); left != nil || err == nil ||
		err.Error() != `restore node0: it belongs to cluster "moon"` {
		t.Errorf("got %q, %v", left, err)
	}
}
