package nodegroup

import (
	"context"
	"errors"
	"fmt"
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
	// TokenProfile and FullNodes are for the engine pacemaker: how fast a dead node
	// is noticed, and how many vote; 0 leaves that to the size.
	TokenProfile cluster.TokenProfile
	FullNodes    int
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
		spec.TokenProfile, spec.FullNodes = from.TokenProfile, from.FullNodes
		spec.Fencing = slices.ContainsFunc(hosts, func(host cluster.Host) bool { return len(host.Fence) > 0 })
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
	host := remote.Host{
		Name: machine.Name, Addr: machine.Connect, User: g.spec.User(machine.Name),
		Here: of.Transport == cluster.OnMachine, OpenSSH: g.openSSH, IdentityFile: of.IdentityFile,
	}
	if UsesSudo(g.spec) {
		host.Sudo = g.sudo
	}
	return host
}

// UsesSudo reports whether the users who log in to the nodes of a cluster become
// root there by sudo: on hosts that somebody has, where Pacemaker needs root.
func UsesSudo(spec cluster.Spec) bool {
	return spec.Type == cluster.AdHoc && spec.Engine == cluster.Pacemaker
}

// reachable finds out which nodes answer, all at once, within goneTimeout. The
// error is of those that do not.
func (g *NodeGroup) reachable(ctx context.Context, nodes []cluster.Node) error {
	var each []*cluster.Node
	for i := range nodes {
		each = append(each, &nodes[i])
	}
	return remote.Each(ctx, each, 0, func(ctx context.Context, node *cluster.Node) error {
		if err := g.tryReach(ctx, node.Name); err != nil {
			return &cluster.NodeError{Node: node.Name, Err: err}
		}
		node.State = cluster.Online
		return nil
	})
}

// silent are the names of nodes that are not online.
func silent(nodes []cluster.Node) []string {
	var names []string
	for _, node := range nodes {
		if node.State != cluster.Online {
			names = append(names, node.Name)
		}
	}
	return names
}
