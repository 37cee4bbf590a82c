package nodegroup

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/store"
)

const bootHint = "boot starts what is off: sirikata-cluster local nodes boot world"

func TestNoNodes(t *testing.T) {
	f := newFakeCluster(t, 0)
	_, err := f.open(t).Status(bounded(t))
	wantError(t, err, `cluster "world": it has no nodes yet`, "boot it: sirikata-cluster local nodes boot world")
	if !errors.Is(err, ErrNoNodes) {
		t.Errorf("%v is not %v", err, ErrNoNodes)
	}
}

// TestAskProviderOnce remembers machines, from one command to the next.
func TestAskProviderOnce(t *testing.T) {
	f := newFakeCluster(t, 2)
	for range 2 {
		status, err := f.open(t).Status(bounded(t))
		if err != nil || len(status.Services) != 2 || len(status.Nodes) != 2 {
			t.Fatalf("%+v (%v)", status, err)
		}
		if diff := cmp.Diff([]string{"redis"}, status.Nodes[1].Capabilities); diff != "" {
			t.Error(diff)
		}
	}
	if f.provider.finds != 1 || len(f.provider.authorized) > 0 {
		t.Errorf("the provider was asked %d times for machines, and for %v", f.provider.finds, f.provider.authorized)
	}
}

// TestStaleCache remembers machines that were replaced since by another operator.
func TestStaleCache(t *testing.T) {
	f := newFakeCluster(t, 1)
	if _, err := f.open(t).Status(bounded(t)); err != nil {
		t.Fatal(err)
	}
	f.servers[0].Close()
	signer, _, _, err := store.Open(f.env.Home).Key("world")
	if err != nil {
		t.Fatal(err)
	}
	f.servers, f.provider.machines = nil, nil
	f.serve(t, 0, signer.PublicKey())
	if _, err := f.open(t).Status(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if f.provider.finds != 2 {
		t.Errorf("the provider was asked %d times", f.provider.finds)
	}
}

func TestNobodyAnswers(t *testing.T) {
	f := newFakeCluster(t, 2)
	g := f.open(t)
	if _, err := g.Status(bounded(t)); err != nil {
		t.Fatal(err)
	}
	for _, server := range f.servers {
		server.Close()
	}
	_, err := f.open(t).Status(bounded(t))
	wantError(t, f.hidden(err), "no node of cluster \"world\" answers: node0: connect to node0 at ADDR0: connection refused\n"+
		"node1: connect to node1 at ADDR1: connection refused", bootHint)
	if f.provider.finds != 2 {
		t.Errorf("the provider was asked %d times", f.provider.finds)
	}
	// What is wrong with the machine matters more.
	f.provider.fault = cluster.WithHint(errors.New("the engine is down"), "start it")
	_, err = f.open(t).Status(bounded(t))
	if err == nil || cluster.HintOf(err) != "start it" {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
}

// TestLostKey gets in by the provider's own way.
func TestLostKey(t *testing.T) {
	f := newFakeCluster(t, 0)
	f.serve(t, 0)
	f.serve(t, 1)
	f.size = 2
	f.provider.machines[1].Running = false
	f.servers[1].Close()
	if _, err := f.open(t).Status(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"node0"}, f.provider.authorized); diff != "" {
		t.Error(diff)
	}
	// Once for want of a cache, once to know which machines run now.
	if f.provider.finds != 2 {
		t.Errorf("the provider was asked %d times", f.provider.finds)
	}
}

func TestLostKeyWithoutAWayIn(t *testing.T) {
	f := newFakeCluster(t, 0)
	f.serve(t, 0)
	f.provider.noKeys = true
	_, err := f.open(t).Status(bounded(t))
	if !errors.Is(err, provider.ErrNotSupported) {
		t.Errorf("error %v, want %v", err, provider.ErrNotSupported)
	}
}

func TestBadHostKeyOfProvider(t *testing.T) {
	f := newFakeCluster(t, 1)
	f.provider.machines[0].HostKey = "nonsense"
	_, err := f.open(t).Status(bounded(t))
	wantError(t, err, `no node of cluster "world" answers: read host key of node0: ssh: no key found`, bootHint)
}

func TestNodes(t *testing.T) {
	f := newFakeCluster(t, 2)
	nodes, err := f.open(t).Nodes(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []cluster.Node{
		{Index: 0, Name: "node0", ID: "023456789abcdef", Connect: f.servers[0].Addr, Address: "10.0.0.1", FQDN: "node0.example.org",
			State: cluster.Online, Role: cluster.Full, Capabilities: []string{}},
		{Index: 1, Name: "node1", ID: "123456789abcdef", Connect: f.servers[1].Addr, Address: "10.0.0.2", FQDN: "node1.example.org",
			State: cluster.Online, Role: cluster.Full, Capabilities: []string{"redis"}},
	}
	if diff := cmp.Diff(want, nodes); diff != "" {
		t.Error(diff)
	}
	for i, server := range f.servers {
		server.Close()
		want[i].State = cluster.Offline
	}
	nodes, err = f.open(t).Nodes(bounded(t))
	if diff := cmp.Diff(want, nodes); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestNodesOfNone(t *testing.T) {
	f := newFakeCluster(t, 0)
	if nodes, err := f.open(t).Nodes(bounded(t)); err != nil || nodes == nil || len(nodes) > 0 {
		t.Errorf("%v (%v)", nodes, err)
	}
	f.provider.fault = errors.New("the engine is down")
	_, err := f.open(t).Nodes(bounded(t))
	wantError(t, err, "the engine is down", "")
}

func TestFindNode(t *testing.T) {
	f := newFakeCluster(t, 2)
	g := f.open(t)
	nodes := g.toNodes(f.provider.machines)
	for _, word := range []string{"1", "01", "node1", "123456789abcdef", "123456789abc", "10.0.0.2", "node1.example.org", f.servers[1].Addr} {
		if node, err := g.findNode(nodes, word); err != nil || node.Name != "node1" {
			t.Errorf("%q is %q (%v)", word, node.Name, err)
		}
	}
	for _, word := range []string{"", "2", "-1", "node", "node11", "123456789ab", "10.0.0.9", "any"} {
		_, err := g.findNode(nodes, word)
		wantError(t, err, `node "`+word+`" is not in cluster "world"`, "the nodes are node0, node1")
	}
	// A machine that is off may have no address, and none is no name for it.
	nodes[0].Connect, nodes[0].FQDN = "", ""
	if node, err := g.findNode(nodes, ""); err == nil {
		t.Errorf("an empty word is %s", node.Name)
	}
}
