package nodegroup

import (
	"context"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// growingKey names the cache of the size that an addition of nodes leads to,
// from when it begins until it is complete.
const growingKey = "growing"

// AddNodes adds nodes to a cluster, which goes on meanwhile. An addition that
// failed, was cancelled or killed is completed by the next one, in its place;
// Boot completes it too. It returns the nodes that are new.
func (g *NodeGroup) AddNodes(ctx context.Context, count int) ([]cluster.Node, error) {
	if g.spec.Type == cluster.AdHoc {
		return nil, cluster.WithHint(fmt.Errorf("add nodes to cluster %q: its nodes are hosts that you have", g.spec.Name),
			"name the host: sirikata-cluster add node %s HOST", g.spec.Name)
	}
	if count < 1 {
		return nil, &cluster.InvalidError{What: "number of nodes", Faults: []cluster.Fault{
			{Problem: fmt.Sprintf("%d is not possible: use 1 or more", count)}}}
	}
	unlock, err := g.lock("add node")
	if err != nil {
		return nil, err
	}
	defer unlock()
	before, err := g.find(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := g.catchUp(ctx, before); err != nil {
		return nil, err
	}
	var target int
	begun, err := g.store.LoadCache(g.spec.Name, growingKey, &target)
	if err != nil {
		return nil, err
	}
	if !begun || target != g.spec.Size {
		grown := g.spec
		grown.Size = g.spec.Size + count
		if err := g.store.SaveCache(g.spec.Name, growingKey, grown.Size); err != nil {
			return nil, err
		}
		if err := g.store.Update(grown); err != nil {
			return nil, err
		}
		g.spec = grown
	}
	machines, err := g.allocate(ctx)
	if err != nil {
		return nil, err
	}
	nodes, _, err := g.form(ctx, machines, false)
	if err != nil {
		return nil, err
	}
	added := slices.DeleteFunc(nodes, func(node cluster.Node) bool {
		return slices.ContainsFunc(before, func(m provider.Machine) bool { return m.Index == node.Index })
	})
	return added, g.store.SaveCache(g.spec.Name, growingKey, 0)
}
