package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/placement"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// undoTimeout is how long what was added may take to be removed again after the
// caller's own context has ended.
const undoTimeout = 30 * time.Second

// Add implements engine.Engine.
func (e *Engine) Add(ctx context.Context, services []cluster.Service) ([]engine.Added, error) {
	begin := time.Now()
	s, err := e.glance(ctx)
	if err != nil {
		return nil, err
	}
	fresh, all, err := s.ensure(ctx, services)
	if err != nil {
		// The command that creates them may be under way on the node all the same.
		return nil, errors.Join(err, s.undo(ctx, idsOf(fresh)))
	}
	created := idsOf(fresh)
	added, failed := s.waitRunning(ctx, all, begin, created, nil)
	for i := range added {
		added[i].Already = !slices.Contains(created, added[i].ID)
	}
	var useless []string
	for _, f := range failed {
		if slices.Contains(created, f.id) {
			useless = append(useless, f.id)
		}
	}
	// First: whoever interrupts once more must not keep it from being done.
	undone := s.undo(ctx, useless)
	return added, errors.Join(s.explain(ctx, failed, "add"), undone)
}

// createTries bounds how often adding starts again because another operator
// added a service of the same id at the same moment.
const createTries = 3

// ensure creates the services that do not exist yet. It returns the primitives
// that this call created, and those of all the services.
func (s *session) ensure(ctx context.Context, services []cluster.Service) (fresh, all []cib.Primitive, err error) {
	for range createTries {
		fresh, all, err = s.plan(services)
		if err != nil {
			// A glance does not tell why a node is not online.
			if s.view, err = s.examine(ctx); err != nil {
				return nil, nil, err
			}
			fresh, all, err = s.plan(services)
		}
		if err != nil || len(fresh) == 0 {
			return nil, all, err
		}
		// A removal that was killed may have left some.
		if err := s.forgetLeftovers(ctx, idsOf(fresh), s.view.transient); err != nil {
			return nil, nil, err
		}
		err = s.create(ctx, fresh)
		if !errors.Is(err, cluster.ErrServiceExists) {
			return fresh, all, err
		}
		if s.view, err = s.look(ctx); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, cluster.ErrServiceExists
}

// plan compares what is wanted with what is there.
func (s *session) plan(services []cluster.Service) (fresh, all []cib.Primitive, err error) {
	planner := s.planner()
	var faults []error
	for _, service := range services {
		primitive, exists := s.view.resources.Find(service.ID)
		if !exists {
			primitive, err = newPrimitive(planner, service)
			fresh = append(fresh, primitive)
		} else {
			err = sameDefinition(service, primitive)
		}
		if err != nil {
			faults = append(faults, err)
		}
		all = append(all, primitive)
	}
	return fresh, all, errors.Join(faults...)
}

// planner chooses nodes for services in the cluster as the session found it.
func (s *session) planner() *placement.Planner {
	nodes := cluster.NodesFile{Cluster: s.engine.spec.Name}
	for _, node := range s.engine.nodes {
		nodes.Nodes = append(nodes.Nodes, cluster.NodeOffer{Name: node.Name, Capabilities: node.Capabilities})
	}
	return placement.New(nodes, s.view.resources, s.view.mon)
}

func newPrimitive(planner *placement.Planner, service cluster.Service) (cib.Primitive, error) {
	candidates, err := planner.Place(service)
	if err != nil {
		return cib.Primitive{}, fmt.Errorf("add service %q: %w", service.ID, err)
	}
	return cib.NewPrimitive(service, candidates)
}

func idsOf(primitives []cib.Primitive) []string {
	ids := make([]string, 0, len(primitives))
	for _, primitive := range primitives {
		id, _ := cluster.ServiceIDOf(primitive.ID)
		ids = append(ids, id)
	}
	return ids
}

func sameDefinition(service cluster.Service, primitive cib.Primitive) error {
	existing, err := primitive.Service()
	if err != nil {
		return err
	}
	if existing.Equal(service) {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("add service %q: %w", service.ID, cluster.ErrServiceExists),
		"choose another id, or remove that one first; list services shows it")
}

// undo removes services that this command created, also when the caller's own
// context has ended.
func (s *session) undo(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	s.engine.progress("removing again what does not run: " + strings.Join(ids, ", "))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	err := s.remove(ctx, ids)
	if errors.Is(err, remote.ErrUnreachable) || errors.Is(err, errNotRunning) {
		if err = s.connect(ctx); err == nil {
			err = s.remove(ctx, ids)
		}
	}
	return err
}
