package nodegroup

import (
	"context"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Kill powers a node off at once, as a power cut does.
func (g *NodeGroup) Kill(ctx context.Context, node string) (cluster.Node, error) {
	return g.power(ctx, "nodes kill", node, provider.Power.Kill)
}

// Stop shuts a node down: its services move away, or stop.
func (g *NodeGroup) Stop(ctx context.Context, node string) (cluster.Node, error) {
	return g.power(ctx, "nodes stop", node, provider.Power.Stop)
}

// Start powers a node on. It does not wait until it is online.
func (g *NodeGroup) Start(ctx context.Context, node string) (cluster.Node, error) {
	return g.power(ctx, "nodes start", node, provider.Power.Start)
}

func (g *NodeGroup) power(ctx context.Context, command, node string, do func(provider.Power, context.Context, provider.Machine) error) (cluster.Node, error) {
	power, ok := g.provider.(provider.Power)
	if !ok {
		return cluster.Node{}, fmt.Errorf("%s: %w", command, provider.ErrNotSupported)
	}
	unlock, err := g.store.Lock(g.spec.Name, command)
	if err != nil {
		return cluster.Node{}, err
	}
	defer unlock()
	machines, err := g.find(ctx)
	if err != nil {
		return cluster.Node{}, err
	}
	found, err := g.findNode(g.toNodes(machines), node)
	if err != nil {
		return cluster.Node{}, err
	}
	for _, machine := range machines {
		if machine.ID == found.ID {
			if err := do(power, ctx, machine); err != nil {
				return found, &cluster.NodeError{Node: found.Name, Err: err}
			}
		}
	}
	return found, nil
}
