package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// goneTimeout is for how long a node that is to be removed is waited for.
const goneTimeout = 10 * time.Second

// RemoveNode takes a node out of a cluster, which goes on meanwhile, and releases
// it. What runs on it moves elsewhere first. A node that is off, does not answer
// or is no more can be removed all the same. It may be called again after it was
// killed. stranded are the services that may run on that node only.
func (g *NodeGroup) RemoveNode(ctx context.Context, node string) (removed cluster.Node, stranded []string, err error) {
	unlock, err := g.lock("remove node")
	if err != nil {
		return cluster.Node{}, nil, err
	}
	defer unlock()
	if g.spec.Engine == cluster.Direct {
		removed, err = g.removeHost(ctx, node)
		return removed, nil, err
	}
	machines, err := g.find(ctx)
	if err != nil {
		return cluster.Node{}, nil, err
	}
	if _, err := g.catchUp(ctx, machines); err != nil {
		return cluster.Node{}, nil, err
	}
	if g.spec.Type == cluster.AdHoc { // the spec may know of fewer now
		if machines, err = g.find(ctx); err != nil {
			return cluster.Node{}, nil, err
		}
		left, leaving, err := g.leavingNode(node)
		if _, is := g.hostAt(left.Index); err != nil || leaving && !is {
			return left, nil, errors.Join(err, g.finishLeaving(ctx, left.Name))
		}
	}
	nodes := g.toNodes(machines)
	removed, err = g.findNode(append(nodes, g.vanished(nodes)...), node)
	if err != nil {
		return cluster.Node{}, nil, err
	}
	if len(nodes) == 1 && removed.Name == nodes[0].Name {
		return cluster.Node{}, nil, cluster.WithHint(fmt.Errorf("remove %s: it is the only node of cluster %q", removed.Name, g.spec.Name),
			"nodes terminate releases it with all that runs on it")
	}
	if err := g.spec.Without(removed.Index).ValidateFencing(); err != nil {
		return cluster.Node{}, nil, cluster.WithHint(fmt.Errorf("remove %s: %w", removed.Name, err),
			"first add another host: sirikata-cluster adhoc add node %s NODE", g.spec.Name)
	}
	if err := g.noteLeaving(removed); err != nil {
		return cluster.Node{}, nil, err
	}
	if err := g.leave(ctx, machines, removed); err != nil {
		return cluster.Node{}, nil, err
	}
	if err := g.restoreLeft(ctx, machines, removed); err != nil {
		return cluster.Node{}, nil, err
	}
	if err := g.release(ctx, machines, removed); err != nil {
		return cluster.Node{}, nil, err
	}
	stranded, err = g.refill(ctx, removed.Name)
	return removed, stranded, err
}

// restoreLeft leaves a host that has just left the cluster as it was; what a provider
// made is released.
func (g *NodeGroup) restoreLeft(ctx context.Context, machines []provider.Machine, node cluster.Node) error {
	if g.spec.Type != cluster.AdHoc {
		return nil
	}
	done, err := g.restore(ctx, machines, node)
	if err != nil || !done {
		return err
	}
	return g.noteLeft(node.Index)
}

// vanished are the nodes that should be there and have no machine.
func (g *NodeGroup) vanished(nodes []cluster.Node) []cluster.Node {
	var gone []provider.Machine
	for _, index := range g.spec.Indexes() {
		if !slices.ContainsFunc(nodes, func(n cluster.Node) bool { return n.Index == index }) {
			gone = append(gone, provider.Machine{Index: index, Name: g.nameOf(index)})
		}
	}
	return g.toNodes(gone)
}

// leave takes a node out of the cluster.
func (g *NodeGroup) leave(ctx context.Context, machines []provider.Machine, node cluster.Node) error {
	machines, err := g.locateBut(ctx, machines, false, node.Name)
	if err != nil {
		return err
	}
	if err := g.openPool(machines); err != nil {
		return err
	}
	if err := g.authorizeUnknown(ctx, machines); err != nil {
		return err
	}
	former, err := g.former(ctx, machines)
	if err != nil {
		return err
	}
	former.Spec = g.spec.Without(node.Index)
	if !slices.Contains(former.Off, node.Name) && !g.answers(ctx, node) {
		former.Off = append(former.Off, node.Name)
	}
	return former.Remove(ctx, node.Name)
}

// answers reports whether a node can be reached.
func (g *NodeGroup) answers(ctx context.Context, node cluster.Node) bool {
	return g.tryReach(ctx, node.Name) == nil
}

// tryReach connects to a node, within goneTimeout.
func (g *NodeGroup) tryReach(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, goneTimeout)
	defer cancel()
	_, err := g.pool.Client(ctx, node)
	return err
}

// release gives the machine of a node back and forgets it.
func (g *NodeGroup) release(ctx context.Context, machines []provider.Machine, node cluster.Node) error {
	var left []provider.Machine
	for _, machine := range machines {
		if machine.Name != node.Name {
			left = append(left, machine)
			continue
		}
		if err := g.provider.ReleaseMachine(ctx, g.spec, machine); err != nil {
			return &cluster.NodeError{Node: node.Name, Err: err}
		}
	}
	if err := g.store.Update(g.spec.Without(node.Index)); err != nil {
		return err
	}
	g.spec = g.spec.Without(node.Index)
	return errors.Join(g.hostKeys().Forget(node.Name), g.store.SaveCache(g.spec.Name, machinesKey, left))
}

// refill gives services nodes to run on instead of one that is gone, and returns
// those that are bound to it.
func (g *NodeGroup) refill(ctx context.Context, gone string) (stranded []string, err error) {
	_, e, err := g.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.Refill(ctx); err != nil {
		return nil, err
	}
	services, err := e.Services(ctx)
	for _, service := range services {
		if service.Target == gone {
			stranded = append(stranded, service.ID)
		}
	}
	return stranded, err
}
