// Package pacemaker runs services as resources of a Pacemaker cluster. It works
// through any one node that answers, with Pacemaker's own tools, XML in and
// out, and keeps nothing on this side: any operator sees the same services.
//
// Start at [Engine].
package pacemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// pollPause is the shortest pause between two looks at the cluster. crm_mon
// takes about 25 ms of a core on a small cluster.
const pollPause = 40 * time.Millisecond

// Engine runs services on one cluster.
type Engine struct {
	spec  cluster.Spec
	nodes []cluster.Node
	pool  *remote.Pool

	progress func(string)
	// followed is for how long histories are followed.
	followed time.Duration
}

var _ engine.Engine = (*Engine)(nil)

// New returns the engine of a cluster whose nodes the pool reaches. progress gets
// a line now and then while many services start, and before services are removed
// again; it is called from one goroutine at a time.
func New(spec cluster.Spec, nodes []cluster.Node, pool *remote.Pool, progress func(string)) *Engine {
	return &Engine{spec: spec, nodes: nodes, pool: pool, progress: progress, followed: followLimit}
}

// Services implements engine.Engine.
func (e *Engine) Services(ctx context.Context) ([]cluster.Service, error) {
	s, err := e.glance(ctx)
	if err != nil {
		return nil, err
	}
	services := []cluster.Service{}
	for _, primitive := range s.view.resources.Primitives {
		service, err := primitive.Service()
		if err != nil {
			return nil, err
		}
		services = append(services, service)
	}
	slices.SortFunc(services, func(a, b cluster.Service) int { return cmp.Compare(a.ID, b.ID) })
	return services, nil
}

// Status implements engine.Engine.
func (e *Engine) Status(ctx context.Context) (cluster.Status, error) {
	s, err := e.session(ctx)
	if err != nil {
		return cluster.Status{}, err
	}
	return e.status(s.view, nil)
}

// Examine implements engine.Engine.
func (e *Engine) Examine(ctx context.Context) (cluster.Status, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	measured := e.measure(ctx)
	s, err := e.session(ctx)
	if err != nil {
		return cluster.Status{}, err
	}
	load := <-measured
	status, err := e.status(s.view, load.votes(s.client))
	if err != nil {
		return cluster.Status{}, err
	}
	status.Warnings = append(status.Warnings, e.strain(ctx, load, s.view.mon)...)
	return status, nil
}

// status says what a view of the cluster means.
func (e *Engine) status(v view, votes []string) (cluster.Status, error) {
	mon := v.mon
	status := cluster.Status{
		Cluster: e.spec.Name, Type: e.spec.Type, Engine: e.spec.Engine,
		Quorate: mon.DC.Quorum, DC: mon.DC.Name, Fencing: mon.Options.Fencing,
		DetectionSeconds: e.spec.TokenProfile.Detection().Seconds(),
		WatchdogSeconds:  e.spec.WatchdogWait().Seconds(),
		Nodes:            e.statesOf(mon, votes),
		Services:         []cluster.ServiceStatus{},
	}
	e.judge(&status, mon)
	for _, primitive := range v.resources.Primitives {
		service, err := mon.ServiceStatus(primitive)
		if err != nil {
			return cluster.Status{}, err
		}
		status.Services = append(status.Services, service)
	}
	slices.SortFunc(status.Services, func(a, b cluster.ServiceStatus) int { return cmp.Compare(a.ID, b.ID) })
	return status, nil
}

func (e *Engine) notFound(id string, known []string) error {
	slices.Sort(known)
	return &cluster.NotFoundError{Kind: "service", Name: id, In: e.spec.Name, Known: known}
}

// find returns the primitives of the services, or says which do not exist.
func (e *Engine) find(resources cib.Resources, ids []string) ([]cib.Primitive, error) {
	var found []cib.Primitive
	var missing []error
	for _, id := range ids {
		primitive, ok := resources.Find(id)
		if !ok {
			missing = append(missing, e.notFound(id, resources.IDs()))
			continue
		}
		found = append(found, primitive)
	}
	return found, errors.Join(missing...)
}

// waited is the error of a wait that ctx ended.
func waited(ctx context.Context, what string) error {
	return fmt.Errorf("%s: %w", what, context.Cause(ctx))
}
