package placement

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// TestRefilled: what is online stays, in its place; what is gone is replaced;
// what is lost is replaced where somebody can take its place.
func TestRefilled(t *testing.T) {
	for _, test := range []struct {
		name     string
		size     int
		off      []string
		load     map[string]int
		require  string
		failover bool
		have     []string
		want     []string
	}{
		{"nothing to do", 3, nil, nil, "", true, []string{"node2", "node0", "node1"}, []string{"node2", "node0", "node1"}},
		{"one is gone", 7, nil, map[string]int{"node0": 1}, "", true,
			[]string{"node9", "node1", "node2", "node3"}, []string{"node1", "node2", "node3", "node4"}},
		{"one is lost", 6, []string{"node1"}, nil, "", true,
			[]string{"node1", "node2", "node3", "node4"}, []string{"node2", "node3", "node4", "node0"}},
		{"one is lost and nobody is left", 3, []string{"node1"}, nil, "", true,
			[]string{"node1", "node2", "node0"}, []string{"node2", "node0", "node1"}},
		{"a node was added", 3, nil, nil, "", true, []string{"node0", "node1"}, []string{"node0", "node1", "node2"}},
		{"only those that have it", 5, []string{"node1"}, nil, "redis", true, []string{"node1", "node2"}, []string{"node2", "node1"}},
		{"all are lost", 2, []string{"node0", "node1"}, nil, "", true, []string{"node0", "node1"}, []string{"node0", "node1"}},
		{"it never moves", 3, []string{"node1"}, nil, "", false, []string{"node1"}, []string{"node1"}},
		{"it never moves, but its node is gone", 3, nil, map[string]int{"node0": 1}, "", false, []string{"node9"}, []string{"node1"}},
		{"nobody has it any more", 3, nil, nil, "gpu", true, []string{"node9"}, []string{"node9"}},
	} {
		c, mon := world(test.size, test.off...)
		p := New(c, cib.Resources{}, mon)
		for node, n := range test.load {
			p.load[node] = n
		}
		service := cluster.Service{ID: "a", Target: cluster.Any, Require: test.require, Failover: test.failover}
		if diff := cmp.Diff(test.want, p.refilled(service, test.have)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestRefillWaits: what runs on a node that is about to be fenced is not known.
func TestRefillWaits(t *testing.T) {
	c, mon := world(6, "node1")
	mon.Nodes[1].Unclean = true
	have := []string{"node1", "node2", "node3", "node4"}
	service := cluster.Service{ID: "a", Target: cluster.Any, Failover: true}
	if diff := cmp.Diff(have, New(c, cib.Resources{}, mon).refilled(service, have)); diff != "" {
		t.Error(diff)
	}
}

// TestRefill changes only those services that need it, and spreads them.
func TestRefill(t *testing.T) {
	c, mon := world(9, "node0")
	var resources cib.Resources
	add := func(id, target string, candidates ...string) {
		primitive, err := cib.NewPrimitive(cluster.Service{ID: id, Target: target, Failover: true, Command: []string{"/bin/a"}}, candidates)
		if err != nil {
			t.Fatal(err)
		}
		resources.Primitives = append(resources.Primitives, primitive)
	}
	add("one", cluster.Any, "node0", "node1", "node2")
	add("two", cluster.Any, "node3", "node0", "node2")
	add("three", cluster.Any, "node1", "node2", "node3")
	add("pinned", "node0", "node0")
	change, err := New(c, resources, mon).Refill()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, changed := range change.Primitives {
		for _, pair := range changed.Meta.Pairs {
			got[changed.ID] = append(got[changed.ID], pair.Value)
		}
	}
	want := map[string][]string{"service-one": {"node1", "node2", "node4"}, "service-two": {"node3", "node2", "node5"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
