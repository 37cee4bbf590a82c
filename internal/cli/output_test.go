package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func TestGroupResults(t *testing.T) {
	result := func(node, stdout, stderr string) nodegroup.Result {
		return nodegroup.Result{Node: node, Stdout: []byte(stdout), Stderr: []byte(stderr)}
	}
	got := groupResults([]nodegroup.Result{result("a", "1\n", ""), result("b", "2\n", ""), result("c", "1\n", ""),
		result("d", "", "1\n"), result("e", "", ""), result("f", "2", "\n"), result("g", "2", "")})
	want := []sameResults{
		{nodes: []string{"a", "c", "d"}, output: []byte("1\n")}, {nodes: []string{"b", "f"}, output: []byte("2\n")},
		{nodes: []string{"e"}, output: []byte{}}, {nodes: []string{"g"}, output: []byte("2")},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sameResults{}), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Error(diff)
	}
}

// TestGroupResultsCopies would write one node's standard error over another's
// standard output.
func TestGroupResultsCopies(t *testing.T) {
	backing := []byte("outERR")
	groupResults([]nodegroup.Result{{Node: "a", Stdout: backing[:3], Stderr: []byte("err")}})
	if string(backing) != "outERR" {
		t.Errorf("the results became %q", backing)
	}
}

func TestShowResults(t *testing.T) {
	var out, errOut bytes.Buffer
	a := &app{out: &out, err: &errOut}
	failed := &nodegroup.ExitError{Node: "node1", Argv: []string{"uptime"}, Code: 3}
	err := a.showResults([]nodegroup.Result{
		{Node: "node0", Stdout: []byte("up\r\n  long\n")}, {Node: "node1", Stderr: []byte("no"), Err: failed},
		{Node: "node2", Stdout: []byte("up\r\n  long\n")}, {Node: "node3", Err: errors.New("node3 is off")},
		{Node: "node4"},
	})
	const want = "node0, node2:\n  up\n    long\nnode1:\n  no\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if err == nil || err.Error() != "run \"uptime\" on node1: exit status 3\nnode3 is off" || exitCode(t.Context(), err) != exitSomeNodes {
		t.Errorf("error %v", err)
	}
	if err := a.showResults([]nodegroup.Result{{Node: "node0"}}); err != nil {
		t.Error(err)
	}
}

func TestStatusTable(t *testing.T) {
	status := cluster.Status{Cluster: "demo", Type: cluster.Local, DC: "node1", DetectionSeconds: 2.2, Quorate: true,
		Nodes: []cluster.Node{{Name: "node0", State: cluster.Online, Role: cluster.Full, Address: "10.0.0.1", Capabilities: []string{"redis", "gpu"}, Protection: "fencing"},
			{Name: "node1", State: cluster.Offline, Role: cluster.Remote, Address: "10.0.0.2"}},
		Warnings: []string{"it pours"}, RemoteDetectionSeconds: 7,
		Services: []cluster.ServiceStatus{{ID: "a", State: cluster.Failed, Target: "any", Failures: 3, Reason: "it rains"}}}
	want := `cluster                    demo (local)
quorate                    yes
decides (DC)               node1
fencing                    off: a node that is cut off may keep running a service that was moved
a dead node is noticed in  2.2 s if it is full, in 7.0 s at most if it is remote
WARNING                    it pours

NODE   STATE    ROLE    PROTECTED BY  ADDRESS   CAPABILITIES
node0  online   full    fencing       10.0.0.1  redis, gpu
node1  offline  remote  -             10.0.0.2  -

SERVICE  STATE   NODE  TARGET  FAILURES  REASON
a        failed  -     any     3         it rains
`
	if diff := cmp.Diff(want, shown(t, status)); diff != "" {
		t.Error(diff)
	}
	status.Quorate, status.Fencing, status.Services = false, true, nil
	wantLines(t, shown(t, status), "NO: services are stopped until more than half of the nodes are online", "on: a node that is lost is switched off", "no services\n")
	status.WatchdogSeconds = 10
	wantLines(t, shown(t, status), "on: a node that is lost is switched off by its own watchdog; its services start elsewhere 10.0 s after it is noticed\n")
	status.DC = ""
	wantLines(t, shown(t, status), "not known: the nodes have not agreed on a DC yet", "decides (DC)               -\n")
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in\n%s", line, text)
		}
	}
}

func shown(t *testing.T, status cluster.Status) string {
	t.Helper()
	var out bytes.Buffer
	a := &app{out: &out}
	if err := a.show("table", status, func(w io.Writer) { statusTable(w, status) }); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestShowJSON(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	if err := a.show("json", map[string]string{"a": "<&>ä"}, nil); err != nil || out.String() != "{\n  \"a\": \"<&>ä\"\n}\n" {
		t.Errorf("%q (%v)", out.String(), err)
	}
	for _, format := range []string{"", "JSON", "yaml"} {
		if err := a.show(format, nil, nil); exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%q: %v", format, err)
		}
	}
}
