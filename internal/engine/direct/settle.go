package direct

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// lost takes services back of which it is not known whether they run.
func (a *adding) lost(ctx context.Context, jobs []job, cause error) {
	if len(jobs) == 0 {
		return
	}
	if ctx.Err() != nil {
		cause = context.Cause(ctx)
	}
	for _, j := range jobs {
		a.failed = append(a.failed, fmt.Errorf("add service %q: it does not run yet: %w", j.service.ID, cause))
	}
	if err := a.engine.undo(ctx, protocol.Remove, "", jobs); err != nil {
		a.failed = append(a.failed, err)
	}
}

// undo takes back what this command did, also when the caller's own context has
// ended.
func (e *Engine) undo(ctx context.Context, action protocol.Action, claim string, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	if action == protocol.Remove {
		ids := make([]string, 0, len(jobs))
		for _, j := range jobs {
			ids = append(ids, j.service.ID)
		}
		e.say("removing again what does not run: %s", strings.Join(ids, ", "))
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), undoTimeout, fmt.Errorf("gave up after %v", undoTimeout))
	defer cancel()
	var failures []error
	err := e.each(ctx, action, claim, jobs, func(j job, result protocol.Result) {
		if result.Failure != "" {
			failures = append(failures, fmt.Errorf("remove service %q from %s: %s", j.service.ID, j.node.Name, result.Failure))
		}
	})
	return errors.Join(append(failures, err)...)
}

// wait waits until services that were there before run.
func (a *adding) wait(ctx context.Context, there []placed) {
	for _, p := range there {
		node := a.engine.node(p.node)
		for p.State == cluster.Starting {
			if engine.Pause(ctx, pollPause) != nil {
				a.failed = append(a.failed, waited(ctx, fmt.Sprintf("add service %q: it does not run yet", p.Definition.ID)))
				break
			}
			again := a.engine.look(ctx, []cluster.Node{node}).on(p.Definition.ID)
			if len(again) == 0 {
				p.State, p.Reason = cluster.Stopped, "it was removed by another command"
				break
			}
			p = again[0]
		}
		switch p.State {
		case cluster.Running:
			a.added = append(a.added, engine.Added{ID: p.Definition.ID, Node: p.node, Took: time.Since(a.begin), Already: true})
		case cluster.Starting:
		default:
			a.failed = append(a.failed, cluster.WithHint(
				fmt.Errorf("add service %q: it does not run: it is on %s already: %s", p.Definition.ID, p.node, p.Reason),
				"start it again: sirikata-cluster restart service %s %s", a.engine.spec.Name, p.Definition.ID))
		}
	}
}

// node is the node with that name, which there is.
func (e *Engine) node(name string) cluster.Node {
	return e.nodes[slices.IndexFunc(e.nodes, func(n cluster.Node) bool { return n.Name == name })]
}

// failure says why a service does not run, with what it printed.
func failure(verb string, j job, result protocol.Result) error {
	err := fmt.Errorf("%s service %q: it does not run: start on %s: %s", verb, j.service.ID, j.node.Name, result.Failure)
	if result.Output == "" {
		return err
	}
	return &engine.OutputError{Err: err, Output: result.Output}
}
