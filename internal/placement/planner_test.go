package placement

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// world is a cluster of n nodes; those in off are off. node1 and node2 have
// redis, node3 alone has gpu.
func world(n int, off ...string) (cluster.NodesFile, cib.Mon) {
	c := cluster.NodesFile{Cluster: "world"}
	mon := cib.Mon{DC: cib.MonDC{Quorum: true}}
	for i := range n {
		node := cluster.NodeOffer{Name: fmt.Sprintf("node%d", i)}
		switch i {
		case 1, 2:
			node.Capabilities = []string{"redis"}
		case 3:
			node.Capabilities = []string{"gpu"}
		}
		c.Nodes = append(c.Nodes, node)
		mon.Nodes = append(mon.Nodes, cib.MonNode{Name: node.Name, Online: !slices.Contains(off, node.Name)})
	}
	return c, mon
}

func TestCandidates(t *testing.T) {
	for _, test := range []struct {
		name     string
		size     int
		off      []string
		load     map[string]int
		service  cluster.Service
		failover bool
		want     []string
		fault    string
	}{
		{name: "any of few", size: 3, failover: true, want: []string{"node0", "node1", "node2"}},
		{name: "any of many", size: 7, failover: true, want: []string{"node0", "node1", "node2", "node3"}},
		{name: "any of very many", size: 8, failover: true, want: []string{"node0", "node1", "node2"}},
		{name: "any of many, some busy", size: 7, failover: true, load: map[string]int{"node0": 2, "node1": 3, "node4": 1},
			want: []string{"node2", "node3", "node5", "node6"}},
		{name: "those that are off come last", size: 3, failover: true, off: []string{"node0"}, load: map[string]int{"node1": 9},
			want: []string{"node2", "node1", "node0"}},
		{name: "those that are off are left out of many", size: 7, failover: true, off: []string{"node0", "node1"},
			want: []string{"node2", "node3", "node4", "node5"}},
		{name: "one is enough without failover", size: 3, load: map[string]int{"node0": 1}, want: []string{"node1"}},
		{name: "one that is online", size: 3, off: []string{"node0", "node1"}, load: map[string]int{"node2": 7}, want: []string{"node2"}},
		{name: "capable", size: 4, failover: true, service: cluster.Service{Require: "redis"}, want: []string{"node1", "node2"}},
		{name: "capable without failover", size: 4, load: map[string]int{"node1": 1}, service: cluster.Service{Require: "redis"},
			want: []string{"node2"}},
		{name: "pinned", size: 4, load: map[string]int{"node2": 99}, failover: true, service: cluster.Service{Target: "node2"},
			want: []string{"node2"}},
		{name: "pinned and capable", size: 4, service: cluster.Service{Target: "node3", Require: "gpu"}, want: []string{"node3"}},
		{name: "nobody is capable", size: 4, service: cluster.Service{Require: "disk"},
			fault: `no node has the capability "disk"`},
		{name: "the capable one is off", size: 4, off: []string{"node3"}, failover: true, service: cluster.Service{Require: "gpu"},
			fault: `none of the nodes that may run it is online: [node3]`},
		{name: "all are off", size: 2, off: []string{"node0", "node1"}, failover: true,
			fault: `none of the nodes that may run it is online: [node0 node1]`},
		{name: "the pinned one is off", size: 3, off: []string{"node1"}, service: cluster.Service{Target: "node1"},
			fault: `node1 is offline`},
		{name: "the pinned one is not capable", size: 4, service: cluster.Service{Target: "node3", Require: "redis"},
			fault: `node3 does not have the capability "redis"`},
		{name: "the pinned one is nobody", size: 2, service: cluster.Service{Target: "node9"},
			fault: `node "node9" is not in cluster "world"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, mon := world(test.size, test.off...)
			planner := New(c, cib.Resources{}, mon)
			for node, n := range test.load {
				planner.load[node] = n
			}
			service := test.service
			service.ID, service.Failover, service.Command = "a", test.failover, []string{"/bin/a"}
			if service.Target == "" {
				service.Target = cluster.Any
			}
			candidates, err := planner.Place(service)
			if test.fault != "" {
				if err == nil || err.Error() != test.fault {
					t.Errorf("error\n%v\nwant\n%s", err, test.fault)
				}
				return
			}
			if diff := cmp.Diff(test.want, candidates); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestPinnedToStandby(t *testing.T) {
	c, mon := world(1)
	mon.Nodes[0].Standby = true
	_, err := New(c, cib.Resources{}, mon).Place(cluster.Service{ID: "a", Target: "node0"})
	if err == nil || err.Error() != "node0 is standby" {
		t.Errorf("error %v", err)
	}
}

// TestSpread adds services one after the other, one of them before.
func TestSpread(t *testing.T) {
	c, mon := world(3)
	place := func(p *Planner, failover bool) []string {
		candidates, err := p.Place(cluster.Service{ID: "a", Target: cluster.Any, Failover: failover})
		if err != nil {
			t.Fatal(err)
		}
		return candidates
	}
	first, err := cib.NewPrimitive(cluster.Service{ID: "first", Target: cluster.Any}, place(New(c, cib.Resources{}, mon), false))
	if err != nil {
		t.Fatal(err)
	}
	planner := New(c, cib.Resources{Primitives: []cib.Primitive{first}}, mon)
	count := map[string]int{}
	for range 8 {
		for _, node := range place(planner, false) {
			count[node]++
		}
	}
	// With the first one, which stands on node0, three each.
	if diff := cmp.Diff(map[string]int{"node0": 2, "node1": 3, "node2": 3}, count); diff != "" {
		t.Error(diff)
	}
	c, mon = world(10)
	planner = New(c, cib.Resources{}, mon)
	count = map[string]int{}
	for range 10 {
		for _, node := range place(planner, true) {
			count[node]++
		}
	}
	for node, n := range count {
		if n != 3 || len(count) != 10 {
			t.Errorf("%s has %d of %v, want 3 each", node, n, count)
		}
	}
}
