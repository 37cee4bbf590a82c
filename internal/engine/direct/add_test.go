package direct

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

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
			if runs, _ := filepath.Glob(filepath.Join(f.servers[0].Root, beside.StateDirectory, "world", "node0", "services", "slow", "run.json")); len(runs) > 0 {
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
