package direct

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// view is what the nodes say of themselves.
type view struct {
	services []placed // in the order of the nodes
	answered []cluster.Node
	uids     map[string]int // by node: who we are there
	silent   []silent
	warnings []string
}

// placed is a service on its node.
type placed struct {
	protocol.Service
	node string
}

// silent is a node that did not say what it runs.
type silent struct {
	node cluster.Node
	err  error
}

// reached reports whether the node answers, if not to the question.
func (s silent) reached() bool {
	var broken *brokenError
	return errors.As(s.err, &broken)
}

// unseen says that services may be missing, and why.
func unseen(s silent) string {
	if s.reached() {
		return fmt.Sprintf("%s cannot tell what it runs: %v", s.node.Name, s.err)
	}
	return fmt.Sprintf("%s does not answer, and what it runs is not shown: %v", s.node.Name, s.err)
}

// look asks nodes what they run, all at once, each within its own time.
func (e *Engine) look(ctx context.Context, nodes []cluster.Node) view {
	answers := make([]protocol.Answer, len(nodes))
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, node := range nodes {
		group.Go(func() {
			answers[i], errs[i] = e.ask(ctx, node, protocol.Request{Action: protocol.Look})
		})
	}
	group.Wait()
	v := view{uids: map[string]int{}, warnings: []string{}}
	for i, node := range nodes {
		if errs[i] != nil {
			v.silent = append(v.silent, silent{node, errs[i]})
			continue
		}
		v.answered = append(v.answered, node)
		v.uids[node.Name] = answers[i].UID
		for _, warning := range answers[i].Warnings {
			v.warnings = append(v.warnings, node.Name+": "+warning)
		}
		for _, service := range answers[i].Services {
			v.services = append(v.services, placed{service, node.Name})
		}
	}
	return v
}

// view asks all nodes. That no node answers is an error.
func (e *Engine) view(ctx context.Context) (view, error) {
	v := e.look(ctx, e.nodes)
	if ctx.Err() != nil {
		return v, waited(ctx, "ask the nodes")
	}
	if len(v.answered) > 0 {
		return v, nil
	}
	var all []error
	for _, s := range v.silent {
		all = append(all, &cluster.NodeError{Node: s.node.Name, Err: s.err})
	}
	return v, fmt.Errorf("no node of cluster %q answers: %w", e.spec.Name, errors.Join(all...))
}

// on returns where services of that id are.
func (v view) on(id string) []placed {
	var found []placed
	for _, p := range v.services {
		if p.Definition.ID == id {
			found = append(found, p)
		}
	}
	return found
}

// find returns where each of the services is, or says which do not exist, as far
// as the nodes that answer know.
func (e *Engine) find(v view, ids []string) ([]placed, error) {
	var known []string
	for _, p := range v.services {
		known = append(known, p.Definition.ID)
	}
	slices.Sort(known)
	var found []placed
	var missing []error
	for _, id := range ids {
		on := v.on(id)
		if len(on) == 0 {
			missing = append(missing, v.notFound(&cluster.NotFoundError{
				Kind: "service", Name: id, In: e.spec.Name, Known: slices.Compact(known)}))
		}
		found = append(found, on...)
	}
	return found, errors.Join(missing...)
}

func (v view) notFound(err error) error {
	if len(v.silent) == 0 {
		return err
	}
	names := make([]string, 0, len(v.silent))
	for _, s := range v.silent {
		names = append(names, s.node.Name)
	}
	return fmt.Errorf("%w, as far as is known: no answer from %s", err, strings.Join(names, ", "))
}

// each asks several nodes at once, each about its own services, and calls take
// with every result, one at a time. claim is whose claim it is about, if any. An
// error names its node.
func (e *Engine) each(ctx context.Context, action protocol.Action, claim string, jobs []job, take func(job, protocol.Result)) error {
	byNode := map[string][]job{}
	var nodes []cluster.Node
	for _, j := range jobs {
		if byNode[j.node.Name] == nil {
			nodes = append(nodes, j.node)
		}
		byNode[j.node.Name] = append(byNode[j.node.Name], j)
	}
	var mu sync.Mutex
	return remote.Each(ctx, nodes, 0, func(ctx context.Context, node cluster.Node) error {
		mine := byNode[node.Name]
		request := protocol.Request{Action: action, Claim: claim, StartMS: startLimit(ctx).Milliseconds()}
		for _, j := range mine {
			if action == protocol.Claim {
				request.Services = append(request.Services, j.service)
			} else {
				request.IDs = append(request.IDs, j.service.ID)
			}
		}
		answer, err := e.ask(ctx, node, request)
		if err == nil && len(answer.Results) != len(mine) {
			err = fmt.Errorf("%d answers for %d services", len(answer.Results), len(mine))
		}
		if err != nil {
			return &cluster.NodeError{Node: node.Name, Err: err}
		}
		mu.Lock()
		defer mu.Unlock()
		for i, result := range answer.Results {
			take(mine[i], result)
		}
		return nil
	})
}
