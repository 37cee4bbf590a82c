package nodegroup

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
	"github.com/sirikata/sirikata-cluster/internal/store"
)

func TestDestroyRefusesNodes(t *testing.T) {
	f := newFakeCluster(t, 2)
	g := f.open(t)
	err := g.Destroy(bounded(t), false)
	wantError(t, err, `destroy cluster "world": it still has nodes (2)`,
		"release them first: sirikata-cluster local nodes terminate world")
	if !errors.Is(err, ErrActive) {
		t.Errorf("%v is not %v", err, ErrActive)
	}
	f.provider.machines = nil
	if err := g.Destroy(bounded(t), false); err != nil {
		t.Fatal(err)
	}
	if !f.provider.released {
		t.Error("what a killed boot left was not released")
	}
	_, err = Open(f.env, "world")
	wantError(t, err, `cluster "world" does not exist`, "")
	if specs, err := List(f.env); err != nil || len(specs) > 0 {
		t.Errorf("%v (%v)", specs, err)
	}
}

// TestTerminateForgets pins of host keys, and machines.
func TestTerminateForgets(t *testing.T) {
	f := newFakeCluster(t, 2)
	g := f.open(t)
	if _, err := g.Status(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if err := g.Trust("node0", f.servers[0].HostKey()); err != nil {
		t.Fatal(err)
	}
	released, err := g.Terminate(bounded(t))
	if err != nil || released != 2 || !f.provider.released {
		t.Errorf("released %d, %v (%v)", released, f.provider.released, err)
	}
	if key, ok := g.hostKeys().Known("node0"); ok {
		t.Errorf("%v is still trusted", key)
	}
	f.provider.machines = nil
	_, err = f.open(t).Status(bounded(t))
	if !errors.Is(err, ErrNoNodes) {
		t.Errorf("error %v, want %v", err, ErrNoNodes)
	}
	// What a killed boot left may be less than a machine.
	f.provider.released = false
	if released, err := f.open(t).Terminate(bounded(t)); err != nil || released != 0 || !f.provider.released {
		t.Errorf("released %d, %v (%v)", released, f.provider.released, err)
	}
}

// TestAllocate forgets the pins of machines that are no more, and no other.
func TestAllocate(t *testing.T) {
	f := newFakeCluster(t, 2)
	g := f.open(t)
	nodes, err := g.Allocate(bounded(t))
	if err != nil || len(nodes) != 2 || nodes[1].Name != "node1" || nodes[1].State != cluster.Offline {
		t.Fatalf("%+v (%v)", nodes, err)
	}
	if diff := cmp.Diff([]string{"allocating"}, f.progress); diff != "" {
		t.Error(diff)
	}
	key := remotetest.NewKey(t).PublicKey()
	for _, node := range nodes {
		if err := g.Trust(node.Name, key); err != nil {
			t.Fatal(err)
		}
	}
	f.provider.machines[1].ID = "another"
	if _, err := g.Allocate(bounded(t)); err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]bool{"node0": true, "node1": false} {
		if _, ok := g.hostKeys().Known(node); ok != want {
			t.Errorf("%s is trusted: %v, want %v", node, ok, want)
		}
	}
}

// TestLocked has another command at work.
func TestLocked(t *testing.T) {
	f := newFakeCluster(t, 1)
	unlock, err := store.Open(f.env.Home).Lock("world", "nodes boot")
	if err != nil {
		t.Fatal(err)
	}
	ctx := bounded(t)
	powered := f.open(t)
	powered.provider = &poweredProvider{fakeProvider: f.provider}
	for name, do := range map[string]func(*NodeGroup) error{
		"boot":      func(g *NodeGroup) error { _, _, err := g.Boot(ctx); return err },
		"allocate":  func(g *NodeGroup) error { _, err := g.Allocate(ctx); return err },
		"fix":       func(g *NodeGroup) error { _, _, err := g.FixCorosync(ctx); return err },
		"terminate": func(g *NodeGroup) error { _, err := g.Terminate(ctx); return err },
		"destroy":   func(g *NodeGroup) error { return g.Destroy(ctx, false) },
		"kill":      func(*NodeGroup) error { _, err := powered.Kill(ctx, "node0"); return err },
	} {
		if err := do(f.open(t)); !errors.Is(err, cluster.ErrLocked) {
			t.Errorf("%s: error %v, want %v", name, err, cluster.ErrLocked)
		}
	}
	if f.provider.finds > 0 || f.provider.released {
		t.Error("the provider was asked")
	}
	unlock()
	if _, err := f.open(t).Terminate(ctx); err != nil {
		t.Error(err)
	}
}

func TestBootFaults(t *testing.T) {
	f := newFakeCluster(t, 1)
	f.provider.fault = errors.New("the engine is down")
	_, _, err := f.open(t).Boot(bounded(t))
	wantError(t, err, "the engine is down", "")
	// A provider without a way in of its own is no reason to give up.
	f.provider.fault, f.provider.noKeys = nil, true
	ctx, cancel := context.WithCancelCause(bounded(t))
	f.env.Progress = func(line string) {
		if strings.HasPrefix(line, "waiting for sshd") {
			cancel(errors.New("gave up after 5m"))
		}
	}
	_, _, err = f.open(t).Boot(ctx)
	if err == nil || !strings.HasPrefix(err.Error(), "waiting for sshd: node0: ") {
		t.Errorf("error %v", err)
	}
	f.provider.machines = nil
	_, _, err = f.open(t).FixCorosync(bounded(t))
	if !errors.Is(err, ErrNoNodes) {
		t.Errorf("error %v, want %v", err, ErrNoNodes)
	}
}

func TestPower(t *testing.T) {
	f := newFakeCluster(t, 2)
	powered := &poweredProvider{fakeProvider: f.provider}
	g := f.open(t)
	_, err := g.Kill(bounded(t), "node0")
	wantError(t, err, "nodes kill: not supported by this type of cluster", "")
	g.provider = powered
	for i, do := range []func(context.Context, string) (cluster.Node, error){g.Kill, g.Stop, g.Start} {
		if node, err := do(bounded(t), []string{"0", "node1", "10.0.0.1"}[i]); err != nil || node.Name == "" {
			t.Errorf("%+v (%v)", node, err)
		}
	}
	if diff := cmp.Diff([]string{"kill node0", "stop node1", "start node0"}, powered.did); diff != "" {
		t.Error(diff)
	}
	_, err = g.Stop(bounded(t), "node9")
	wantError(t, err, `node "node9" is not in cluster "world"`, "the nodes are node0, node1")
}

func TestUnsupported(t *testing.T) {
	const want = `clusters of type "ec2" are not supported by this version`
	_, err := Create(Env{Home: t.TempDir()}, cluster.Spec{Name: "a", Type: cluster.EC2})
	wantError(t, err, want, "")
	_, _, err = BuildImage(t.Context(), cluster.EC2, false, nil)
	wantError(t, err, want, "")
	_, err = engineOf(cluster.Spec{Engine: "other"}, nil, nil, nil)
	wantError(t, err, `the engine "other" is not supported by this version`, "")
	home := t.TempDir()
	spec := LocalSpec("away", 1, cluster.LAN)
	spec.Type = cluster.EC2
	if _, err := store.Open(home).Create(spec); err != nil {
		t.Fatal(err)
	}
	_, err = Open(Env{Home: home}, "away")
	wantError(t, err, want, "")
}

func TestFromEnv(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for home, want := range map[string]string{"": "/home/me/.sirikata-cluster", "/srv/x": "/srv/x"} {
		t.Setenv("SIRIKATA_CLUSTER_HOME", home)
		if env, err := FromEnv(); err != nil || env.Home != want {
			t.Errorf("%q: home %q (%v), want %q", home, env.Home, err, want)
		}
	}
	t.Setenv("SIRIKATA_CLUSTER_HOME", "")
	t.Setenv("HOME", "")
	_, err := FromEnv()
	wantError(t, err, "find the home directory: $HOME is not defined", "set SIRIKATA_CLUSTER_HOME to a directory of yours")
}

func TestLocalSpec(t *testing.T) {
	g := &NodeGroup{spec: LocalSpec("a", 3, "500")}
	if err := g.Spec().Validate(); err != nil || g.SirikataPath() != "/home/sirikata/sirikata" || g.Spec().User("node0") != "root" {
		t.Errorf("%+v (%v)", g.Spec(), err)
	}
}
