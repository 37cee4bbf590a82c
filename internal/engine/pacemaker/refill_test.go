package pacemaker

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
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
			[]string{"node9", "node1", "node2", "node3", "node4"}, []string{"node1", "node2", "node3", "node4", "node5"}},
		{"one is lost", 6, []string{"node1"}, nil, "", true,
			[]string{"node1", "node2", "node3", "node4", "node5"}, []string{"node2", "node3", "node4", "node5", "node0"}},
		{"one is lost and nobody is left", 3, []string{"node1"}, nil, "", true,
			[]string{"node1", "node2", "node0"}, []string{"node2", "node0", "node1"}},
		{"a node was added", 3, nil, nil, "", true, []string{"node0", "node1"}, []string{"node0", "node1", "node2"}},
		{"only those that have it", 5, []string{"node1"}, nil, "redis", true, []string{"node1", "node2"}, []string{"node2", "node1"}},
		{"all are lost", 2, []string{"node0", "node1"}, nil, "", true, []string{"node0", "node1"}, []string{"node0", "node1"}},
		{"it never moves", 3, []string{"node1"}, nil, "", false, []string{"node1"}, []string{"node1"}},
		{"it never moves, but its node is gone", 3, nil, map[string]int{"node0": 1}, "", false, []string{"node9"}, []string{"node1"}},
		{"nobody has it any more", 3, nil, nil, "gpu", true, []string{"node9"}, []string{"node9"}},
	} {
		e, mon := world(test.size, test.off...)
		p := &planner{engine: e, mon: mon, load: map[string]int{}}
		for node, n := range test.load {
			p.load[node] = n
		}
		service := cluster.Service{ID: "a", Target: cluster.Any, Require: test.require, Failover: test.failover}
		if diff := cmp.Diff(test.want, p.refilled(service, test.have)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
