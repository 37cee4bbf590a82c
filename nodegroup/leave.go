package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// removeHost takes a host out of a cluster of the engine direct. It refuses while
// a service is on it. On a host that does not answer services may run; those
// that are bound to it are lost with it, as far as the cluster knows.
func (g *NodeGroup) removeHost(ctx context.Context, word string) (cluster.Node, error) {
	var err error
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
		if err := g.vacate(ctx, node.Name); err != nil {
			return cluster.Node{}, err
		}
	}
	smaller := g.spec.Without(node.Index)
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
	_ = g.reachable(ctx, nodes)
	if len(silent(nodes)) < len(nodes) {
		if err := g.idle(ctx, what, ""); err != nil {
			return err
		}
	}
	return g.acceptSilent(what, nodes, accept)
}

// acceptSilent refuses to go on without nodes that do not answer, unless that is
// accepted.
func (g *NodeGroup) acceptSilent(what string, nodes []cluster.Node, accept bool) error {
	silent := silent(nodes)
	if len(silent) == 0 || accept {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("%s: no answer from %s: %w", what, strings.Join(silent, ", "), ErrUnknown),
		"once they answer, try again; --yes forgets the cluster as it is, and what runs there goes on")
}

// leaver is an engine that keeps something on the hosts, even without services.
type leaver interface {
	Leave(ctx context.Context, node string) error
}

// vacate removes what the engine keeps on a host, or if node is empty on all.
func (g *NodeGroup) vacate(ctx context.Context, node string) error {
	_, e, err := g.connect(ctx)
	if err != nil {
		return err
	}
	if l, ok := e.(leaver); ok {
		return l.Leave(ctx, node)
	}
	return nil
}
