package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/form"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// handBack ends the cluster on the user's hosts and leaves each as it was. It
// reports how many had anything of the cluster.
func (g *NodeGroup) handBack(ctx context.Context, machines []provider.Machine) (restored int, err error) {
	if _, err := g.catchUp(ctx, machines); err != nil {
		return 0, err
	}
	if machines, err = g.find(ctx); err != nil {
		return 0, err
	}
	if err := g.openPool(machines); err != nil {
		return 0, err
	}
	nodes := g.toNodes(machines)
	unreached := g.reachable(ctx, nodes)
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	former, err := g.former(ctx, machines)
	if err != nil {
		return 0, err
	}
	former.Off = silent(nodes)
	restored, err = former.Disband(ctx)
	if err = errors.Join(err, unreached, g.finishLeaving(ctx, "")); err != nil {
		return restored, err
	}
	return restored, g.store.SaveCache(g.spec.Name, machinesKey, []provider.Machine{})
}

// restore leaves a host of the user's that was taken out of the cluster as it was,
// and reports whether it is: one that does not answer stays as it is.
func (g *NodeGroup) restore(ctx context.Context, machines []provider.Machine, node cluster.Node) (done bool, err error) {
	if !g.answers(ctx, node) {
		g.env.progress(fmt.Sprintf("%s does not answer, and still has what makes it a node. Once it answers: sirikata-cluster remove node %s %s",
			node.Name, g.spec.Name, node.Name))
		return false, nil
	}
	former, err := g.former(ctx, machines)
	if err != nil {
		return false, err
	}
	former.Nodes = []cluster.Node{node}
	_, err = former.Disband(ctx)
	return err == nil, err
}

// handedBack refuses to forget hosts that are still configured for the cluster, or
// may be so unless that is accepted.
func (g *NodeGroup) handedBack(ctx context.Context, accept bool) error {
	machines, err := g.find(ctx)
	if err != nil {
		return err
	}
	nodes, err := g.tried(ctx, machines)
	if err != nil {
		return err
	}
	ours, err := g.owned(ctx, nodes)
	if err != nil {
		g.env.progress(err.Error()) // what is there is as little known as of one that is silent
	}
	what := fmt.Sprintf("destroy cluster %q", g.spec.Name)
	if len(ours) > 0 {
		return cluster.WithHint(fmt.Errorf("%s: %w (%s)", what, ErrActive, strings.Join(ours, ", ")),
			"leave the hosts as they were first: sirikata-cluster adhoc nodes terminate %s", g.spec.Name)
	}
	left, err := g.leaving()
	if err != nil {
		return err
	}
	for _, host := range left {
		nodes = append(nodes, cluster.Node{Name: host.Name, State: cluster.Offline})
	}
	return g.acceptSilent(what, nodes, accept)
}

// tried are the nodes; those that answer are online.
func (g *NodeGroup) tried(ctx context.Context, machines []provider.Machine) ([]cluster.Node, error) {
	if err := g.openPool(machines); err != nil {
		return nil, err
	}
	nodes := g.toNodes(machines)
	_ = g.reachable(ctx, nodes)
	return nodes, ctx.Err()
}

// owned are the hosts that answer and have anything of the cluster. The error is of
// those that could not be asked, which are offline from then on.
func (g *NodeGroup) owned(ctx context.Context, nodes []cluster.Node) (names []string, err error) {
	var errs []error
	for i, node := range nodes {
		if node.State != cluster.Online {
			continue
		}
		owner, err := g.ownerOf(ctx, node.Name)
		switch {
		case err != nil:
			errs = append(errs, &cluster.NodeError{Node: node.Name, Err: err})
			nodes[i].State = cluster.Offline
		case owner == g.spec.Name:
			names = append(names, node.Name)
		}
	}
	return names, errors.Join(errs...)
}

// ownerOf is the cluster that a host has anything of; empty if it has of none.
func (g *NodeGroup) ownerOf(ctx context.Context, node string) (string, error) {
	client, err := g.pool.Client(ctx, node)
	if err != nil {
		return "", err
	}
	// One that is configured says so to everybody.
	if owner, err := form.Owner(ctx, client); err != nil || owner != "" {
		return owner, err
	}
	if client, err = g.pool.Root().Client(ctx, node); err != nil {
		return "", err
	}
	return form.Owner(ctx, client)
}
