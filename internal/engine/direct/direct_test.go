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

func TestPlace(t *testing.T) {
	f := newFleet(t, 3)
	f.nodes[1].Capabilities, f.nodes[2].Capabilities = []string{"redis"}, []string{"redis"}
	e := f.engine(t)
	require := func(id, target, capability string) cluster.Service {
		service := sleeper(id, target)
		service.Require = capability
		return service
	}
	on := add(t, e, require("r1", cluster.Any, "redis"), require("r2", cluster.Any, "redis"), require("r3", cluster.Any, "redis"), sleeper("any", cluster.Any))
	want := map[string]string{"r1": "node1", "r2": "node2", "r3": "node1", "any": "node0"}
	if diff := cmp.Diff(want, on); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	f.servers[1].Close()
	f.servers[2].Close()
	e = f.engine(t)
	asOther := sleeper("other", "node0")
	asOther.User = "somebody"
	_, err := e.Add(within(t), []cluster.Service{
		require("none", cluster.Any, "gpu"), require("pinned", "node0", "redis"),
		require("down", cluster.Any, "redis"), sleeper("nowhere", "node9"), sleeper("fine", cluster.Any),
	})
	wantError(t, err, `add service "none": no node has the capability "gpu"
add service "pinned": node0 does not have the capability "redis"
add service "down": none of the nodes that may run it is online: [node1 node2]
add service "nowhere": node "node9" is not in cluster "world"`)
	if _, ok := status(t, e).Service("fine"); ok {
		t.Error("one was added all the same")
	}
}

// TestUsers is about root, who alone can run services as others.
func TestUsers(t *testing.T) {
	e := &Engine{spec: cluster.Spec{Name: "world", LoginUser: "bob"}, nodes: []cluster.Node{{Name: "n"}}}
	service := sleeper("a", "n")
	for _, test := range []struct {
		user string
		uid  int
		want string
	}{{"", 1000, ""}, {"bob", 1000, ""}, {"redis", 0, ""}, {"redis", 1000, `add service "a": only root can run it as "redis", and n is logged in to as "bob"`}} {
		for _, target := range []string{"n", cluster.Any} {
			service.User, service.Target = test.user, target
			_, err := e.plan(view{answered: e.nodes, uids: map[string]int{"n": test.uid}}, []cluster.Service{service})
			if text := errorText(err); text != test.want {
				t.Errorf("%+v on %s: %q", test, target, text)
			}
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAddAnother(t *testing.T) {
	f := newFleet(t, 2)
	e := f.engine(t)
	add(t, e, sleeper("a", "node0"))
	another := sleeper("a", "node1")
	added, err := e.Add(within(t), []cluster.Service{another, sleeper("b", cluster.Any)})
	wantError(t, err, `add service "a": the id is taken by a service with another definition`)
	wantAdded(t, added)
	if !errors.Is(err, cluster.ErrServiceExists) || cluster.HintOf(err) != "choose another id, or remove that one first; list services shows it" {
		t.Errorf("%v, hint %q", err, cluster.HintOf(err))
	}
	if left := status(t, e).Services; len(left) != 1 {
		t.Errorf("services %v", left)
	}
}

func TestAddFails(t *testing.T) {
	f := newFleet(t, 2)
	e := f.engine(t)
	bad := sleeper("bad", "node0")
	bad.Command = []string{"/bin/sh", "-c", "echo no world; echo to load >&2; exit 3"}
	added, err := e.Add(within(t), []cluster.Service{bad, sleeper("good", "node0")})
	wantAdded(t, added, engine.Added{ID: "good", Node: "node0"})
	if err == nil || !strings.HasPrefix(err.Error(), `add service "bad": it does not run: start on node0: exited with status 3 after `) {
		t.Fatalf("error %v", err)
	}
	var output *engine.OutputError
	if !errors.As(err, &output) || output.Output != "no world\nto load" {
		t.Errorf("output %+v", output)
	}
	if _, there := status(t, e).Service("bad"); there {
		t.Error("it was not removed again")
	}
	missing := sleeper("missing", cluster.Any)
	missing.Command = []string{"/no/such"}
	_, err = e.Add(within(t), []cluster.Service{missing})
	wantError(t, err, `add service "missing": it does not run: start on node0: binary "/no/such" does not exist`)
	if said := strings.Join(f.said, "\n"); !strings.Contains(said, `service "missing" does not start on node1: binary`) {
		t.Errorf("it was not tried on the other node: %s", said)
	}
}

// TestAddElsewhere has a node that cannot run what may run on any.
func TestAddElsewhere(t *testing.T) {
	f := newFleet(t, 2)
	f.spec.Hosts[0].WorkingPath = "/no/such"
	if on := add(t, f.engine(t), sleeper("a", cluster.Any), sleeper("b", cluster.Any)); on["a"] != "node1" || on["b"] != "node1" {
		t.Errorf("they run on %v", on)
	}
	if services := status(t, f.engine(t)).Services; len(services) != 2 {
		t.Errorf("services %v", services)
	}
}

func TestAddCancelled(t *testing.T) {
	f := newFleet(t, 1)
	e := f.engine(t)
	add(t, e, sleeper("other", "node0"))
	slow := sleeper("slow", "node0")
	slow.ForceDaemonize = false
	ctx, cancel := context.WithCancelCause(within(t))
	go func() {
		for ctx.Err() == nil {
			if runs, _ := filepath.Glob(filepath.Join(f.servers[0].Root, stateDirectory, "world", "node0", "services", "slow", "run.json")); len(runs) > 0 {
				cancel(errGaveUp)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	added, err := e.Add(ctx, []cluster.Service{slow})
	wantAdded(t, added)
	wantError(t, err, `add service "slow": it does not run yet: gave up`)
	if services := status(t, e).Services; len(services) != 1 {
		t.Errorf("services %v", services)
	}
}

// TestOperators adds the same id from many sides at once, to run on any node.
func TestOperators(t *testing.T) {
	f := newFleet(t, 3)
	add(t, f.engine(t), sleeper("warm0", "node0"), sleeper("warm1", "node1"), sleeper("warm2", "node2"))
	const operators = 4
	var group sync.WaitGroup
	var mu sync.Mutex
	ran := map[string]int{}
	for i := range operators {
		e := f.engine(t)
		group.Go(func() {
			service := sleeper("same", cluster.NodeName(i%3))
			added, err := e.Add(within(t), []cluster.Service{service})
			mu.Lock()
			defer mu.Unlock()
			for _, a := range added {
				ran[a.Node]++
			}
			if err != nil && !errors.Is(err, cluster.ErrServiceExists) && !errors.Is(err, errContested) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got := status(t, f.engine(t))
	count := 0
	for _, service := range got.Services {
		if service.ID == "same" {
			count++
		}
	}
	if count > 1 || len(got.Warnings) > 0 {
		t.Errorf("it runs %d times: %v", count, got)
	}
	if count != len(ran) {
		t.Errorf("%d run, and operators were told of %v", count, ran)
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
	bin, err := os.ReadDir(filepath.Join(f.servers[0].Root, stateDirectory, "world", "bin"))
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
	programs, err := filepath.Glob(filepath.Join(f.servers[0].Root, stateDirectory, "world", "bin", "*"))
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
	state := filepath.Join(f.servers[0].Root, stateDirectory)
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
