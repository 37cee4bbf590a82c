package direct

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

func TestLife(t *testing.T) {
	f := newFleet(t, 3)
	e := f.engine(t)
	if services, err := e.Services(within(t)); err != nil || len(services) != 0 {
		t.Fatalf("services %v, %v", services, err)
	}
	if len(f.said) > 0 {
		t.Errorf("a question installed something: %q", f.said)
	}
	one, two := sleeper("one", cluster.Any), sleeper("two", "node0")
	added, err := e.Add(within(t), []cluster.Service{two, one})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, added, engine.Added{ID: "one", Node: "node1"}, engine.Added{ID: "two", Node: "node0"})
	for _, a := range added {
		if a.Took < 200*time.Millisecond {
			t.Errorf("%s took %v, less than it is watched", a.ID, a.Took)
		}
	}
	other := f.engine(t) // a second operator
	services, err := other.Services(within(t))
	if diff := cmp.Diff([]cluster.Service{one, two}, services); err != nil || diff != "" {
		t.Errorf("services (-want +got): %v\n%s", err, diff)
	}
	again, err := other.Add(within(t), []cluster.Service{one})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, again, engine.Added{ID: "one", Node: "node1", Already: true})
	before := stateOf(t, other, "one")
	restarted, err := other.Restart(within(t), []string{"one"})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, restarted, engine.Added{ID: "one", Node: "node1"})
	if after := stateOf(t, e, "one"); after.Run == before.Run || after.State != cluster.Running {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if err := other.Remove(within(t), []string{"one", "two"}); err != nil {
		t.Fatal(err)
	}
	if left := status(t, e).Services; len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStatus(t *testing.T) {
	f := newFleet(t, 2)
	f.nodes[1].Capabilities = []string{"redis"}
	e := f.engine(t)
	add(t, e, sleeper("a", cluster.Any))
	f.servers[1].Close()
	got := status(t, f.engine(t))
	run := got.Services[0].Run
	if run == "" || len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "node1 does not answer, and what it runs is not shown: connect to node1 at ") {
		t.Errorf("run %q, warnings %q", run, got.Warnings)
	}
	want := cluster.Status{
		Cluster: "world", Type: cluster.AdHoc, Engine: cluster.Direct, Quorate: true, Warnings: got.Warnings,
		Nodes: []cluster.Node{
			{Index: 0, Name: "node0", FQDN: "node0.example.org", State: cluster.Online, Capabilities: []string{}, Protection: "no failover"},
			{Index: 1, Name: "node1", FQDN: "node1.example.org", State: cluster.Offline, Capabilities: []string{"redis"}, Protection: "no failover"},
		},
		Services: []cluster.ServiceStatus{{ID: "a", State: cluster.Running, Node: "node0", Target: cluster.Any, Run: run}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// TestSilentNodes has half of the nodes hang, each in another way.
func TestSilentNodes(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 6, func(i int, c *remotetest.Config) {
		c.Hang = []remotetest.Stage{0, 0, 0, remotetest.AtAccept, remotetest.AtHandshake, remotetest.AtLogin}[i]
	})
	e := f.engine(t)
	begin := time.Now()
	got := status(t, e)
	if took := time.Since(begin); took > answerWait+2*time.Second {
		t.Errorf("it took %v", took)
	}
	for i, node := range got.Nodes {
		if want := []cluster.NodeState{cluster.Online, cluster.Offline}[i/3]; node.State != want {
			t.Errorf("%s is %s, not %s", node.Name, node.State, want)
		}
	}
	if len(got.Warnings) != 3 {
		t.Errorf("warnings %q", got.Warnings)
	}
	if on := add(t, e, sleeper("a", cluster.Any))["a"]; on != "node0" {
		t.Errorf("it runs on %q", on)
	}
	_, err := e.Add(within(t), []cluster.Service{sleeper("b", "node3")})
	if err == nil || !strings.HasPrefix(err.Error(), `add service "b": node3 is offline: `) {
		t.Errorf("error %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	f := newFleet(t, 2)
	f.servers[0].Close()
	f.servers[1].Close()
	e := f.engine(t)
	if got := status(t, e); got.Nodes[0].State != cluster.Offline || got.Nodes[1].State != cluster.Offline {
		t.Errorf("status %+v", got)
	}
	_, err := e.Services(within(t))
	if err == nil || !strings.HasPrefix(err.Error(), `no node of cluster "world" answers: node0: connect to node0`) || !strings.Contains(err.Error(), "node1: connect") {
		t.Errorf("error %v", err)
	}
}

// TestTwice has a node come back that has a service of the same id.
func TestTwice(t *testing.T) {
	f := newFleet(t, 2)
	add(t, f.engine(t), sleeper("a", "node0"))
	alone := &fleet{spec: f.spec, nodes: f.nodes[1:], servers: f.servers[1:]}
	add(t, alone.engine(t), sleeper("a", "node1"))
	e := f.engine(t)
	got := status(t, e)
	want := []string{`service "a" is on node0 and node1: one of them did not answer when it was added; remove service stops all`}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Error(diff)
	}
	_, err := e.Restart(within(t), []string{"a"})
	wantError(t, err, `restart service "a": it is on node0 and on node1`)
	if services, err := e.Services(within(t)); err != nil || len(services) != 1 {
		t.Errorf("services %v, %v", services, err)
	}
	if err := e.Remove(within(t), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	if left := status(t, e).Services; len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestUnknownServices(t *testing.T) {
	f := newFleet(t, 2)
	e := f.engine(t)
	add(t, e, sleeper("a", "node0"))
	err := e.Remove(within(t), []string{"a", "zz"})
	wantError(t, err, `service "zz" is not in cluster "world"`)
	if cluster.HintOf(err) != "the only service is a" {
		t.Errorf("hint %q", cluster.HintOf(err))
	}
	if stateOf(t, e, "a").State != cluster.Running {
		t.Error("the other one was removed")
	}
	f.servers[1].Close()
	_, err = f.engine(t).Restart(within(t), []string{"zz"})
	wantError(t, err, `service "zz" is not in cluster "world", as far as is known: no answer from node1`)
	var missing *cluster.NotFoundError
	if !errors.As(err, &missing) {
		t.Errorf("%v is none", err)
	}
}

func TestLogs(t *testing.T) {
	f := newFleet(t, 1)
	e := f.engine(t)
	service := sleeper("a", "node0")
	service.Command = []string{"/bin/sh", "-c", "echo one; echo two; echo three; while [ ! -e go ]; do sleep 0.02; done; echo four; exec sleep 1000"}
	add(t, e, service)
	var out bytes.Buffer
	if err := e.Logs(within(t), "a", 2, false, &out); err != nil || out.String() != "two\nthree\n" {
		t.Fatalf("%q, %v", out.String(), err)
	}
	ctx, cancel := context.WithCancel(within(t))
	lines := &watched{}
	ended := make(chan error, 1)
	go func() { ended <- e.Logs(ctx, "a", 1, true, lines) }()
	eventually(t, "the last line", func() bool { return lines.text() == "three\n" })
	if err := os.WriteFile(filepath.Join(f.servers[0].Root, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the next line", func() bool { return lines.text() == "three\nfour\n" })
	if _, err := e.Restart(within(t), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lines of the next run", func() bool { return lines.text() == "three\nfour\none\ntwo\nthree\nfour\n" })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	f.servers[0].Idle() // whatever followed has ended, too
}

// watched is output that can be looked at while it grows.
type watched struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Write(p)
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}
