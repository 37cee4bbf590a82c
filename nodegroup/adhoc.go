package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	_ = remote.Each(ctx, nodes, 0, func(ctx context.Context, node cluster.Node) error {
		online := g.answers(ctx, node)
		for i := range nodes {
			if nodes[i].Name == node.Name && online {
				nodes[i].State = cluster.Online
			}
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
	grown := g.spec
	grown.Size++
	grown.Hosts = append(slices.Clone(g.spec.Hosts), hosts...)
	grown.Capabilities = maps.Clone(g.spec.Capabilities)
	if grown.Capabilities == nil {
		grown.Capabilities = map[string][]string{}
	}
	maps.Copy(grown.Capabilities, capabilities)
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

// removeHost takes a host out of a cluster of the engine direct. It refuses while
// a service is on it. On a host that does not answer services may run; those
// that are bound to it are lost with it, as far as the cluster knows.
func (g *NodeGroup) removeHost(ctx context.Context, word string) (cluster.Node, error) {
	var err error
	if g.spec, err = g.store.Spec(g.spec.Name); err != nil { // as it is under the lock
		return cluster.Node{}, err
	}
	nodes, err := g.join(ctx)
	if err != nil {
		return cluster.Node{}, err
	}
	node, err := g.findNode(nodes, word)
	if err != nil {
		return cluster.Node{}, err
	}
	if len(nodes) == 1 {
		return cluster.Node{}, cluster.WithHint(fmt.Errorf("remove %s: it is the only node of cluster %q", node.Name, g.spec.Name),
			"destroy forgets the whole cluster: sirikata-cluster adhoc destroy %s", g.spec.Name)
	}
	if g.answers(ctx, node) {
		if err := g.idle(ctx, "remove "+node.Name, node.Name); err != nil {
			return cluster.Node{}, err
		}
	}
	smaller := g.without(node)
	if err := g.store.Update(smaller); err != nil {
		return cluster.Node{}, err
	}
	g.spec = smaller
	return node, g.hostKeys().Forget(node.Name)
}

// idle refuses what to do while there are services: on one node, or on any if
// its name is empty.
func (g *NodeGroup) idle(ctx context.Context, what, node string) error {
	_, e, err := g.connect(ctx)
	if err != nil {
		return err
	}
	status, err := e.Status(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for _, service := range status.Services {
		if node == "" || service.Node == node || service.Target == node {
			ids = append(ids, service.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return cluster.WithHint(fmt.Errorf("%s: %w: %s", what, ErrServices, strings.Join(ids, ", ")),
		"remove each first: sirikata-cluster remove service %s %s", g.spec.Name, ids[0])
}

// ErrServices says that something has services, which would be forgotten.
var ErrServices = errors.New("it still has services")

// ErrUnknown says that nodes which do not answer may run services.
var ErrUnknown = errors.New("what runs there is not known")

// forgettable refuses to forget a cluster whose services run on, or may do so
// unless that is accepted.
func (g *NodeGroup) forgettable(ctx context.Context, accept bool) error {
	what := fmt.Sprintf("destroy cluster %q", g.spec.Name)
	nodes, err := g.join(ctx)
	if err != nil {
		return err
	}
	g.reachable(ctx, nodes)
	var silent []string
	for _, node := range nodes {
		if node.State != cluster.Online {
			silent = append(silent, node.Name)
		}
	}
	if len(silent) < len(nodes) {
		if err := g.idle(ctx, what, ""); err != nil {
			return err
		}
	}
	if len(silent) == 0 || accept {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("%s: no answer from %s: %w", what, strings.Join(silent, ", "), ErrUnknown),
		"once they answer, try again; --yes forgets the cluster as it is, and what runs there goes on")
}
