package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

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
	if err := g.catchUp(ctx, before); err != nil {
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
	if err := g.catchUp(ctx, before); err != nil {
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
	if err := g.catchUp(ctx, machines); err != nil {
		return nil, false, err
	}
	// A removal that was killed may have left a machine.
	machines = slices.DeleteFunc(machines, func(m provider.Machine) bool { return slices.Contains(g.spec.Removed, m.Index) })
	if machines, err = g.locate(ctx, machines, false); err != nil {
		return nil, false, err
	}
	return g.form(ctx, machines, true)
}

// Terminate releases all nodes, with all that runs on them; the spec stays. It
// reports how many there were. Hosts that the user has are left as they were before
// they were booted; of those, one that does not answer is an error, and the others
// are done.
func (g *NodeGroup) Terminate(ctx context.Context) (released int, err error) {
	if err := g.needPacemaker("nodes terminate"); err != nil {
		return 0, err
	}
	unlock, err := g.lock("nodes terminate")
	if err != nil {
		return 0, err
	}
	defer unlock()
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return 0, err
	}
	if g.spec.Type == cluster.AdHoc {
		return g.handBack(ctx, machines)
	}
	// Also without machines: a boot that was killed may have left less than one.
	if err := g.provider.Release(ctx, g.spec); err != nil {
		return 0, err
	}
	for _, machine := range machines {
		if err := g.hostKeys().Forget(machine.Name); err != nil {
			return 0, err
		}
	}
	return len(machines), g.store.SaveCache(g.spec.Name, machinesKey, []provider.Machine{})
}

// ErrActive says that a cluster still has nodes.
var ErrActive = errors.New("it still has nodes")

// Destroy forgets the cluster. It refuses while nodes exist (ErrActive). Hosts
// that the user has go on existing: of those it refuses while they have services
// (ErrServices) and, unless accept, while one does not answer (ErrUnknown).
func (g *NodeGroup) Destroy(ctx context.Context, accept bool) error {
	unlock, err := g.lock("destroy")
	if err != nil {
		return err
	}
	defer unlock()
	if g.spec.Type == cluster.AdHoc {
		forgettable := g.forgettable
		if g.NeedsBoot() {
			forgettable = g.handedBack
		}
		if err := forgettable(ctx, accept); err != nil {
			return err
		}
		if !g.NeedsBoot() {
			if err := g.vacate(ctx, ""); err != nil {
				return err
			}
		}
		return g.store.Remove(g.spec.Name)
	}
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return err
	}
	if len(machines) > 0 {
		return cluster.WithHint(fmt.Errorf("destroy cluster %q: %w (%d)", g.spec.Name, ErrActive, len(machines)),
			"release them first: sirikata-cluster %s nodes terminate %s", g.spec.Type, g.spec.Name)
	}
	// What a boot left that was killed before it made a machine is no node, and
	// must not stay either.
	if err := g.provider.Release(ctx, g.spec); err != nil {
		return err
	}
	return g.store.Remove(g.spec.Name)
}

// BuildImage builds the image from which the nodes of clusters of a type are
// made, unless it is there and rebuild is false.
func BuildImage(ctx context.Context, t cluster.Type, rebuild bool, log io.Writer) (name string, built bool, err error) {
	p, err := providerOf(t)
	if err != nil {
		return "", false, err
	}
	builder, ok := p.(provider.ImageBuilder)
	if !ok {
		return "", false, provider.ErrNotSupported
	}
	return builder.BuildImage(ctx, rebuild, log)
}

// Nodes asks the provider for the nodes and, where one answers, the cluster for
// their state. A cluster that was not booted has none.
func (g *NodeGroup) Nodes(ctx context.Context) ([]cluster.Node, error) {
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return nil, err
	}
	nodes := g.toNodes(machines)
	if len(nodes) == 0 {
		return nodes, nil
	}
	if g.spec.Engine == cluster.Direct {
		err := g.openPool(machines)
		if err == nil {
			_ = g.reachable(ctx, nodes) // one that does not answer is offline
			err = ctx.Err()
		}
		return nodes, err
	}
	status, err := g.Status(ctx)
	if err != nil {
		// That no node answers is an answer: they are all offline.
		return nodes, ctx.Err()
	}
	for i := range nodes {
		for _, known := range status.Nodes {
			if known.Name == nodes[i].Name {
				nodes[i].State = known.State
			}
		}
	}
	return nodes, nil
}

// findNode returns the node that the user means: an index from 0, a name, an
// id or the beginning of one, or an address.
func (g *NodeGroup) findNode(nodes []cluster.Node, word string) (cluster.Node, error) {
	index, notIndex := strconv.Atoi(word)
	hosts := map[string]int{}
	for _, node := range nodes {
		hosts[hostOf(node)]++
	}
	known := make([]string, 0, len(nodes))
	for _, node := range nodes {
		known = append(known, node.Name)
		if word == "" {
			continue // a node that is off may lack an address
		}
		// Nodes that are reached through ports of one host are not named by it.
		byHost := word == hostOf(node) && hosts[word] == 1
		byID := len(word) >= 12 && strings.HasPrefix(node.ID, word)
		if notIndex == nil && index == node.Index || byID || word == node.Name ||
			word == node.ID || word == node.Address || word == node.Connect || byHost || word == node.FQDN {
			return node, nil
		}
	}
	return cluster.Node{}, &cluster.NotFoundError{Kind: "node", Name: word, In: g.spec.Name, Known: known}
}

// hostOf is the host of a node's connect address; empty if it has none.
func hostOf(node cluster.Node) string {
	host, _, err := net.SplitHostPort(node.Connect)
	if err != nil {
		return ""
	}
	return host
}
