package nodegroup

import (
	"context"
	"errors"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Boot allocates the nodes that are missing, powers on those that are off, and
// makes all of them one quorate cluster with every node online. changed is
// false if that was the case already. A boot that failed, was cancelled or
// killed is completed by another one. Only one command that changes nodes works
// on a cluster at a time: cluster.ErrLocked.
func (g *NodeGroup) Boot(ctx context.Context) (nodes []cluster.Node, changed bool, err error) {
	if err := g.needPacemaker("nodes boot"); err != nil {
		return nil, false, err
	}
	unlock, err := g.lock("nodes boot")
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	before, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return nil, false, err
	}
	if err := g.withAddresses(before); err != nil {
		return nil, false, err
	}
	if _, err := g.catchUp(ctx, before); err != nil {
		return nil, false, err
	}
	machines, err := g.allocate(ctx)
	if err != nil {
		return nil, false, err
	}
	allocated := !slices.Equal(before, machines)
	if machines, err = g.locate(ctx, machines, true); err != nil {
		return nil, false, err
	}
	nodes, changed, err = g.form(ctx, machines, false)
	return nodes, changed || allocated, err
}

// Allocate is the first part of Boot: it returns as soon as the machines exist.
func (g *NodeGroup) Allocate(ctx context.Context) ([]cluster.Node, error) {
	unlock, err := g.lock("nodes boot")
	if err != nil {
		return nil, err
	}
	defer unlock()
	before, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return nil, err
	}
	if _, err := g.catchUp(ctx, before); err != nil {
		return nil, err
	}
	machines, err := g.allocate(ctx)
	return g.toNodes(machines), err
}

func (g *NodeGroup) allocate(ctx context.Context) ([]provider.Machine, error) {
	if g.spec.Type == cluster.AdHoc { // whose hosts let the user's own keys in
		return g.find(ctx)
	}
	_, authorizedKey, _, err := g.store.Key(g.spec.Name)
	if err != nil {
		return nil, err
	}
	machines, err := g.provider.Allocate(ctx, g.spec, authorizedKey, g.env.progress)
	if err != nil {
		return nil, err
	}
	return machines, g.remember(machines)
}

// form makes one cluster of the machines; with repair it configures all of them
// anew, and makes up for full nodes that are off.
func (g *NodeGroup) form(ctx context.Context, machines []provider.Machine, repair bool) ([]cluster.Node, bool, error) {
	if err := g.openPool(machines); err != nil {
		return nil, false, err
	}
	if err := g.authorizeUnknown(ctx, machines); err != nil {
		return nil, false, err
	}
	former, err := g.former(ctx, machines)
	if err != nil {
		return nil, false, err
	}
	former.Force, former.Promote = repair, repair
	nodes := former.Nodes
	changed, err := former.Form(ctx)
	if err != nil {
		return nil, false, err
	}
	for i := range nodes {
		nodes[i].Role = former.Role(nodes[i].Name)
		if !slices.Contains(former.Off, nodes[i].Name) {
			nodes[i].State = cluster.Online
		}
	}
	return nodes, changed, nil
}

// authorizeUnknown lets our key in where the provider has a way to. A machine
// that another operator allocated does not know it.
func (g *NodeGroup) authorizeUnknown(ctx context.Context, machines []provider.Machine) error {
	if g.spec.Type == cluster.AdHoc {
		return nil
	}
	err := g.authorize(ctx, machines)
	if errors.Is(err, provider.ErrNotSupported) {
		return nil
	}
	return err
}

// FixCorosync configures every node anew, whatever is believed to be right, and
// completes the cluster as Boot does. It allocates nothing.
func (g *NodeGroup) FixCorosync(ctx context.Context) ([]cluster.Node, bool, error) {
	if err := g.needPacemaker("fix corosync"); err != nil {
		return nil, false, err
	}
	unlock, err := g.lock("fix corosync")
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	machines, err := g.find(ctx)
	if err != nil {
		return nil, false, err
	}
	if _, err := g.catchUp(ctx, machines); err != nil {
		return nil, false, err
	}
	// A removal that was killed may have left a machine.
	machines = slices.DeleteFunc(machines, func(m provider.Machine) bool { return slices.Contains(g.spec.Removed, m.Index) })
	if machines, err = g.locate(ctx, machines, false); err != nil {
		return nil, false, err
	}
	return g.form(ctx, machines, true)
}
