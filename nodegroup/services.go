package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// Started is a service that runs now.
type Started struct {
	ID   string
	Node string
	// Took is the time from the call to the service running.
	Took time.Duration
	// Already is true if it was there before, with the same definition.
	Already bool
}

// Status asks the cluster for the state of its nodes and services. It measures
// for a moment what the cluster takes of the node that it asks, and for 2 s where
// that is more than it should be.
func (g *NodeGroup) Status(ctx context.Context) (cluster.Status, error) {
	nodes, e, err := g.connect(ctx)
	if err != nil {
		return cluster.Status{}, err
	}
	status, err := e.Examine(ctx)
	if err != nil || !slices.ContainsFunc(status.Nodes, strange) {
		return status, err
	}
	// Another operator may have added or removed nodes since the provider was asked.
	machines, err := g.find(ctx)
	if err != nil || slices.EqualFunc(g.toNodes(machines), nodes, func(a, b cluster.Node) bool { return a.ID == b.ID }) {
		return status, err
	}
	if _, e, err = g.connect(ctx); err != nil {
		return cluster.Status{}, err
	}
	return e.Examine(ctx)
}

// strange reports whether the cluster has a node and the provider does not, or the
// other way round.
func strange(node cluster.Node) bool { return node.ID == "" || node.Role == "" }

// Services asks the cluster for the definitions of its services, by id.
func (g *NodeGroup) Services(ctx context.Context) ([]cluster.Service, error) {
	_, e, err := g.connect(ctx)
	if err != nil {
		return nil, err
	}
	return e.Services(ctx)
}

// AddServices adds the services in one transaction and waits until each runs.
// All are checked before anything is added (*cluster.InvalidError). An id that
// exists with the same definition is success; with another it is
// cluster.ErrServiceExists. A service that does not start is removed again, and
// the error says why.
func (g *NodeGroup) AddServices(ctx context.Context, services []cluster.Service) ([]Started, error) {
	if err := validateAll(services); err != nil {
		return nil, err
	}
	nodes, e, err := g.connect(ctx)
	if err != nil {
		return nil, err
	}
	services = slices.Clone(services)
	for i := range services {
		if services[i].Target == cluster.Any {
			continue
		}
		node, err := g.findNode(nodes, services[i].Target)
		if err != nil {
			return nil, fmt.Errorf("add service %q: %w", services[i].ID, err)
		}
		services[i].Target = node.Name
	}
	added, err := e.Add(ctx, services)
	started := make([]Started, 0, len(added))
	for _, a := range added {
		started = append(started, Started(a))
	}
	return started, err
}

func validateAll(services []cluster.Service) error {
	var faults []error
	seen := map[string]bool{}
	for _, service := range services {
		faults = append(faults, service.Validate())
		if seen[service.ID] {
			faults = append(faults, &cluster.InvalidError{What: fmt.Sprintf("service %q", service.ID),
				Faults: []cluster.Fault{{Field: "id", Problem: "it is given twice"}}})
		}
		seen[service.ID] = true
	}
	return errors.Join(faults...)
}

// RemoveServices removes services and returns when their processes are gone. If
// any id does not exist (*cluster.NotFoundError), nothing is removed.
func (g *NodeGroup) RemoveServices(ctx context.Context, ids []string) error {
	_, e, err := g.connect(ctx)
	if err != nil {
		return err
	}
	return e.Remove(ctx, ids)
}

// RestartServices forgets the failures of services, restarts them and waits
// until each runs again.
func (g *NodeGroup) RestartServices(ctx context.Context, ids []string) ([]Started, error) {
	_, e, err := g.connect(ctx)
	if err != nil {
		return nil, err
	}
	restarted, err := e.Restart(ctx, ids)
	started := make([]Started, 0, len(restarted))
	for _, r := range restarted {
		started = append(started, Started(r))
	}
	return started, err
}

// Logs writes the last lines that a service printed to w, and with follow what
// it prints from then on, until ctx ends.
func (g *NodeGroup) Logs(ctx context.Context, id string, lines int, follow bool, w io.Writer) error {
	_, e, err := g.connect(ctx)
	if err != nil {
		return err
	}
	return e.Logs(ctx, id, lines, follow, w)
}

// OutputError is an error of a service together with what it printed last.
type OutputError = engine.OutputError
