// Package direct runs services on hosts that have nothing but an SSH server. It
// puts sirikata-node into the workspace path of a node and calls that, one
// command for one question. What runs is recorded on the nodes alone, each its
// own, so any operator sees the same services; nothing fails over.
//
// Start at [Engine], then ask.go and add.go; package keeper is the other side.
package direct

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Engine runs services on one cluster.
type Engine struct {
	spec    cluster.Spec
	nodes   []cluster.Node
	pool    *remote.Pool
	program func() *beside.Program

	mu       sync.Mutex
	progress func(string)
}

var _ engine.Engine = (*Engine)(nil)

// New returns the engine of a cluster whose nodes the pool reaches. program
// returns sirikata-node for a machine, by what its uname -m says, and its digest.
// progress gets a line where something takes long or is not known; it is called
// from one goroutine at a time.
func New(spec cluster.Spec, nodes []cluster.Node, pool *remote.Pool, program func(machine string) ([]byte, string, error), progress func(string)) *Engine {
	// Once, and only where it is needed: to digest it takes a moment.
	once := sync.OnceValue(func() *beside.Program { return beside.New(program) })
	return &Engine{spec: spec, nodes: nodes, pool: pool, program: once, progress: progress}
}

func (e *Engine) say(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.progress(fmt.Sprintf(format, args...))
}

// Refill implements engine.Engine. No service has other nodes to run on.
func (e *Engine) Refill(context.Context) error { return nil }

// Services implements engine.Engine. It says which nodes did not answer: their
// services are not among them.
func (e *Engine) Services(ctx context.Context) ([]cluster.Service, error) {
	v, err := e.view(ctx)
	if err != nil {
		return nil, err
	}
	services := []cluster.Service{}
	for _, p := range v.services {
		services = append(services, p.Definition)
	}
	slices.SortFunc(services, func(a, b cluster.Service) int { return cmp.Compare(a.ID, b.ID) })
	for _, s := range v.silent {
		e.say("%s", unseen(s))
	}
	return slices.CompactFunc(services, func(a, b cluster.Service) bool { return a.ID == b.ID }), nil
}

// protection says what keeps a service from running twice once its node is lost.
const protection = "no failover"

// Status implements engine.Engine. Nodes that do not answer are no error, not
// even all of them. There is no quorum to lose, and no node decides for others.
func (e *Engine) Status(ctx context.Context) (cluster.Status, error) {
	v := e.look(ctx, e.nodes)
	if ctx.Err() != nil {
		return cluster.Status{}, waited(ctx, "ask the nodes")
	}
	status := cluster.Status{
		Cluster: e.spec.Name, Type: e.spec.Type, Engine: e.spec.Engine, Quorate: true,
		Warnings: v.warnings, Nodes: slices.Clone(e.nodes), Services: []cluster.ServiceStatus{},
	}
	for i := range status.Nodes {
		node := &status.Nodes[i]
		node.State, node.Protection = cluster.Online, protection
		for _, s := range v.silent {
			if s.node.Name != node.Name {
				continue
			}
			status.Warnings = append(status.Warnings, unseen(s))
			if !s.reached() {
				node.State = cluster.Offline
			}
		}
	}
	on := map[string][]string{}
	for _, p := range v.services {
		on[p.Definition.ID] = append(on[p.Definition.ID], p.node)
		status.Services = append(status.Services, p.status())
	}
	for _, id := range slices.Sorted(maps.Keys(on)) {
		if len(on[id]) > 1 {
			status.Warnings = append(status.Warnings, fmt.Sprintf("service %q is on %s: one of them did not answer when it was added; remove service stops all",
				id, strings.Join(on[id], " and ")))
		}
	}
	slices.SortStableFunc(status.Services, func(a, b cluster.ServiceStatus) int { return cmp.Compare(a.ID, b.ID) })
	return status, nil
}

// Examine implements engine.Engine. Nobody votes, and nothing but the services
// takes anything of a node.
func (e *Engine) Examine(ctx context.Context) (cluster.Status, error) { return e.Status(ctx) }

// Past implements engine.Engine: the hosts do not know of each other.
func (e *Engine) Past(context.Context) (cluster.Past, error) { return cluster.Past{}, nil }

// status is the service as the user sees it.
func (p placed) status() cluster.ServiceStatus {
	return cluster.ServiceStatus{
		ID: p.Definition.ID, State: p.State, Node: p.node, Target: p.Definition.Target,
		Failures: p.Failures, Reason: p.Reason, Run: p.Run,
	}
}

// waited is the error of a wait that ctx ended.
func waited(ctx context.Context, what string) error {
	return fmt.Errorf("%s: %w", what, context.Cause(ctx))
}
