package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// AdHoc is what an ad-hoc cluster is made from.
type AdHoc struct {
	Name string
	// User logs in to hosts that name no user of their own, and runs services.
	User string
	// Paths are those of hosts that name none of their own.
	Paths cluster.Paths
	// Nodes are the hosts, as [cluster.ParseHosts] reads them.
	Nodes  []string
	Engine cluster.Engine
}

// AdHocSpec is the spec of a cluster of hosts that the user already has. All
// faults come back at once (*cluster.InvalidError). It contacts nobody.
func AdHocSpec(from AdHoc) (cluster.Spec, error) {
	hosts, capabilities, hostsErr := cluster.ParseHosts(from.Nodes, 0, nil)
	spec := cluster.Spec{
		Name: from.Name, Type: cluster.AdHoc, Engine: from.Engine, Size: len(hosts),
		Hosts: hosts, Capabilities: capabilities, LoginUser: from.User, ServiceUser: from.User,
		SirikataPath: from.Paths.Sirikata, WorkingPath: from.Paths.Working, WorkspacePath: from.Paths.Workspace,
	}
	if from.Engine == cluster.Pacemaker {
		spec.TokenProfile = cluster.LAN
	}
	if hostsErr == nil {
		return spec, spec.Validate()
	}
	// The rest is checked with a host that is valid, to have all faults at once.
	spec.Size, spec.Hosts = 1, []cluster.Host{{Name: "valid", DNSName: "valid"}}
	return spec, errors.Join(spec.Validate(), hostsErr)
}

// NeedsBoot reports whether the nodes have to be made one cluster before services
// run on them. Hosts with the engine direct need nothing.
func (g *NodeGroup) NeedsBoot() bool { return g.spec.Engine != cluster.Direct }

// ErrNotDirect says that a command is not for clusters of the engine direct.
var ErrNotDirect = errors.New("its engine is direct: there is no Corosync and no failover")

func (g *NodeGroup) needPacemaker(command string) error {
	if g.NeedsBoot() {
		return nil
	}
	return fmt.Errorf("%s: cluster %q: %w", command, g.spec.Name, ErrNotDirect)
}

// ofHost is how the operator's own ssh reaches a host that the user has.
func (g *NodeGroup) ofHost(machine provider.Machine) remote.Host {
	of, _ := g.spec.Host(machine.Name)
	return remote.Host{
		Name: machine.Name, Addr: machine.Connect, User: g.spec.User(machine.Name),
		Here: of.Transport == cluster.OnMachine, OpenSSH: g.openSSH, IdentityFile: of.IdentityFile,
	}
}

// reachable finds out which nodes answer, all at once, within goneTimeout.
func (g *NodeGroup) reachable(ctx context.Context, nodes []cluster.Node) {
	var each []*cluster.Node
	for i := range nodes {
		each = append(each, &nodes[i])
	}
	_ = remote.Each(ctx, each, 0, func(ctx context.Context, node *cluster.Node) error {
		if g.answers(ctx, *node) {
			node.State = cluster.Online
		}
		return nil
	})
}

// AddHost adds a host that the user already has to an ad-hoc cluster, once it
// answers. A host that is a node already is a fault (*cluster.InvalidError).
func (g *NodeGroup) AddHost(ctx context.Context, word string) (cluster.Node, error) {
	unlock, err := g.store.Lock(g.spec.Name, "add node")
	if err != nil {
		return cluster.Node{}, err
	}
	defer unlock()
	if g.spec, err = g.store.Spec(g.spec.Name); err != nil { // as it is under the lock
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
	if err == nil {
		err = g.store.Update(grown)
	}
	if err != nil {
		g.spec = before
		return cluster.Node{}, err
	}
	return node, nil
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
	nodes, err := g.join(ctx)
	if err != nil {
		return cluster.Node{}, err
	}
	node, err := g.findNode(nodes, name)
	if err != nil {
		return cluster.Node{}, err
	}
	if _, err := g.pool.Client(ctx, name); err != nil {
		return cluster.Node{}, err
	}
	node.State = cluster.Online
	return node, nil
}
