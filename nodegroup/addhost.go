package nodegroup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// AddHost adds a host that the user already has to an ad-hoc cluster, once it
// answers, and makes it part of one that is booted: until then it is not Online. A
// host that is a node already is a fault (*cluster.InvalidError). Boot completes
// what failed, was cancelled or killed once the host was in the spec.
func (g *NodeGroup) AddHost(ctx context.Context, word string) (cluster.Node, error) {
	unlock, err := g.lock("add node")
	if err != nil {
		return cluster.Node{}, err
	}
	defer unlock()
	booted, err := g.catchUpHosts(ctx)
	if err != nil {
		return cluster.Node{}, err
	}
	hosts, capabilities, err := cluster.ParseHosts([]string{word}, g.spec.NextIndex(), g.spec.Hosts)
	if err != nil {
		return cluster.Node{}, err
	}
	grown := g.with(hosts, capabilities)
	if err := grown.Validate(); err != nil {
		return cluster.Node{}, err
	}
	before := g.spec
	g.spec = grown
	node, err := g.answering(ctx, hosts[0].Name)
	if err == nil && g.NeedsBoot() {
		err = g.vet(ctx, node)
	}
	if err == nil {
		err = g.store.Update(grown)
	}
	if err != nil {
		g.spec = before
		return cluster.Node{}, err
	}
	machines, err := g.find(ctx)
	switch {
	case err != nil || !g.NeedsBoot():
		return node, err
	case !booted:
		node.State = cluster.Offline
		return node, nil
	}
	return g.enlist(ctx, machines, node)
}

// vet refuses a host that cannot become a node, before anything knows of it.
func (g *NodeGroup) vet(ctx context.Context, node cluster.Node) error {
	former, err := g.former(ctx, nil)
	if err != nil {
		return err
	}
	former.Nodes, former.Progress = []cluster.Node{node}, func(string) {}
	return former.Vet(ctx)
}

// catchUpHosts is catchUp for hosts, and reports whether they are one cluster. One
// that is there and does not answer is an error.
func (g *NodeGroup) catchUpHosts(ctx context.Context) (booted bool, err error) {
	if !g.NeedsBoot() {
		return false, nil
	}
	machines, err := g.find(ctx)
	if err != nil {
		return false, err
	}
	if booted, err = g.catchUp(ctx, machines); err != nil || booted {
		return booted, err
	}
	nodes, err := g.tried(ctx, machines)
	if err != nil {
		return false, err
	}
	owned, err := g.owned(ctx, nodes)
	if err == nil && len(owned) > 0 {
		err = cluster.WithHint(fmt.Errorf("cluster %q does not answer on %s", g.spec.Name, strings.Join(owned, ", ")),
			"repair it first: sirikata-cluster fix corosync %s", g.spec.Name)
	}
	return false, err
}

// enlist makes a host that is in the spec part of the cluster.
func (g *NodeGroup) enlist(ctx context.Context, machines []provider.Machine, node cluster.Node) (cluster.Node, error) {
	machines, err := g.locate(ctx, machines, false)
	if err != nil {
		return cluster.Node{}, err
	}
	nodes, _, err := g.form(ctx, machines, false)
	if err != nil {
		return cluster.Node{}, err
	}
	return g.findNode(nodes, node.Name)
}

// with is the spec of the cluster with more hosts.
func (g *NodeGroup) with(hosts []cluster.Host, capabilities map[string][]string) cluster.Spec {
	spec := g.spec
	spec.Size += len(hosts)
	spec.Hosts = append(slices.Clone(spec.Hosts), hosts...)
	spec.Capabilities = map[string][]string{}
	maps.Copy(spec.Capabilities, g.spec.Capabilities)
	maps.Copy(spec.Capabilities, capabilities)
	return spec
}

// answering is the node with that name, which answers.
func (g *NodeGroup) answering(ctx context.Context, name string) (cluster.Node, error) {
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return cluster.Node{}, err
	}
	if err := g.openPool(machines); err != nil {
		return cluster.Node{}, err
	}
	node, err := g.findNode(g.toNodes(machines), name)
	if err != nil {
		return cluster.Node{}, err
	}
	if _, err := g.pool.Client(ctx, name); err != nil {
		return cluster.Node{}, err
	}
	node.State = cluster.Online
	return node, nil
}
