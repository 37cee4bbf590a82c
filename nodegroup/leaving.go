package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// leavingKey names the cache of hosts that are being taken out of the cluster, or
// were, and may still have what made them nodes: the cluster forgets them before
// they are as they were.
const leavingKey = "leaving"

func (g *NodeGroup) leaving() (hosts []cluster.Host, err error) {
	_, err = g.store.LoadCache(g.spec.Name, leavingKey, &hosts)
	return hosts, err
}

// noteLeaving remembers a host until [NodeGroup.noteLeft].
func (g *NodeGroup) noteLeaving(node cluster.Node) error {
	host, ok := g.spec.Host(node.Name)
	if !ok {
		return nil
	}
	hosts, err := g.leaving()
	if err != nil {
		return err
	}
	hosts = slices.DeleteFunc(hosts, func(h cluster.Host) bool { return h.Index == host.Index })
	return g.store.SaveCache(g.spec.Name, leavingKey, append(hosts, host))
}

// noteLeft forgets a host that is as it was.
func (g *NodeGroup) noteLeft(index int) error {
	hosts, err := g.leaving()
	if err != nil {
		return err
	}
	hosts = slices.DeleteFunc(hosts, func(h cluster.Host) bool { return h.Index == index })
	return g.store.SaveCache(g.spec.Name, leavingKey, hosts)
}

// leavingNode is the node that a host was which is being taken out of the cluster.
func (g *NodeGroup) leavingNode(word string) (node cluster.Node, found bool, err error) {
	hosts, err := g.leaving()
	for _, host := range hosts {
		if host.Name == word || host.DNSName == word {
			return cluster.Node{Index: host.Index, Name: host.Name, Connect: host.DNSName}, true, err
		}
	}
	return cluster.Node{}, false, err
}

// finishLeaving leaves a host that was taken out of the cluster as it was; all of
// them if there is no name. One that does not answer is an error.
func (g *NodeGroup) finishLeaving(ctx context.Context, name string) error {
	hosts, err := g.leaving()
	errs := []error{err}
	for _, host := range hosts {
		if name == "" || name == host.Name {
			errs = append(errs, g.finishHost(ctx, host))
		}
	}
	return errors.Join(errs...)
}

func (g *NodeGroup) finishHost(ctx context.Context, host cluster.Host) error {
	alone := *g // a cluster of this host, which the spec has no more
	alone.pool = nil
	alone.spec.Hosts, alone.spec.Size, alone.spec.Removed, alone.spec.FullNodes = []cluster.Host{host}, 1, nil, 0
	defer func() { _ = alone.Close() }()
	machines, err := g.provider.Find(ctx, alone.spec)
	if err == nil {
		err = alone.openPool(machines)
	}
	if err != nil {
		return err
	}
	if err := alone.tryReach(ctx, host.Name); err != nil {
		return &cluster.NodeError{Node: host.Name, Err: fmt.Errorf("it left the cluster, and still has what made it a node: %w", err)}
	}
	if _, err := alone.restore(ctx, machines, alone.toNodes(machines)[0]); err != nil {
		return err
	}
	return errors.Join(g.noteLeft(host.Index), g.hostKeys().Forget(host.Name))
}
