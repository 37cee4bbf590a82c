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
	if err = errors.Join(err, unreached); err != nil {
		return restored, err
	}
	return restored, g.store.SaveCache(g.spec.Name, machinesKey, []provider.Machine{})
}

// restore leaves a host of the user's that was taken out of the cluster as it was.
// One that does not answer stays as it is.
func (g *NodeGroup) restore(ctx context.Context, machines []provider.Machine, node cluster.Node) error {
	if g.spec.Type != cluster.AdHoc || !g.answers(ctx, node) {
		return nil
	}
	former, err := g.former(ctx, machines)
	if err != nil {
		return err
	}
	former.Nodes = []cluster.Node{node}
	_, err = former.Disband(ctx)
	return err
}

// handedBack refuses to forget hosts that are still configured for the cluster, or
// may be so unless that is accepted.
func (g *NodeGroup) handedBack(ctx context.Context, accept bool) error {
	machines, err := g.find(ctx)
	if err != nil {
		return err
	}
	if err := g.openPool(machines); err != nil {
		return err
	}
	nodes := g.toNodes(machines)
	_ = g.reachable(ctx, nodes)
	var ours []string
	for _, node := range nodes {
		if node.State != cluster.Online {
			continue
		}
		client, err := g.pool.Root().Client(ctx, node.Name)
		if err != nil {
			return err
		}
		owner, err := form.Owner(ctx, client)
		if err != nil {
			return &cluster.NodeError{Node: node.Name, Err: err}
		}
		if owner == g.spec.Name {
			ours = append(ours, node.Name)
		}
	}
	what := fmt.Sprintf("destroy cluster %q", g.spec.Name)
	if len(ours) > 0 {
		return cluster.WithHint(fmt.Errorf("%s: %w (%s)", what, ErrActive, strings.Join(ours, ", ")),
			"leave the hosts as they were first: sirikata-cluster adhoc nodes terminate %s", g.spec.Name)
	}
	return g.acceptSilent(what, nodes, accept)
}
