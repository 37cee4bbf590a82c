package direct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Remove implements engine.Engine. A service that is on several nodes is removed
// from all.
func (e *Engine) Remove(ctx context.Context, ids []string) error {
	v, err := e.view(ctx)
	if err != nil {
		return err
	}
	for _, s := range v.silent {
		e.say("%s", unseen(s))
	}
	found, err := e.find(v, ids)
	if err != nil || len(found) == 0 {
		return err
	}
	var failures []error
	err = e.each(ctx, protocol.Remove, "", e.jobs(found), func(j job, result protocol.Result) {
		if result.Failure != "" {
			failures = append(failures, fmt.Errorf("remove service %q: it does not stop: on %s: %s", j.service.ID, j.node.Name, result.Failure))
		}
	})
	if ctx.Err() != nil {
		err = waited(ctx, fmt.Sprintf("remove %s: not all have stopped yet", strings.Join(ids, ", ")))
	}
	return errors.Join(append(failures, err)...)
}

func (e *Engine) jobs(found []placed) []job {
	jobs := make([]job, 0, len(found))
	for _, p := range found {
		jobs = append(jobs, job{service: p.Definition, node: e.node(p.node)})
	}
	return jobs
}

// Restart implements engine.Engine. Each service starts again on its node.
func (e *Engine) Restart(ctx context.Context, ids []string) ([]engine.Added, error) {
	begin := time.Now()
	v, err := e.view(ctx)
	if err != nil {
		return nil, err
	}
	found, err := e.find(v, ids)
	if err == nil {
		err = twice(v, ids)
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var restarted []engine.Added
	var failures []error
	answered := map[string]bool{}
	err = e.each(ctx, protocol.Restart, "", e.jobs(found), func(j job, result protocol.Result) {
		answered[j.service.ID] = true
		if result.Failure != "" {
			failures = append(failures, failure("restart", j, result))
			return
		}
		restarted = append(restarted, engine.Added{ID: j.service.ID, Node: j.node.Name, Took: time.Since(begin)})
	})
	if ctx.Err() != nil {
		err = nil
		for _, id := range ids {
			if !answered[id] {
				failures = append(failures, waited(ctx, fmt.Sprintf("restart service %q: it does not run yet", id)))
			}
		}
	}
	return restarted, errors.Join(append(failures, err)...)
}

// twice refuses to restart two copies of a service.
func twice(v view, ids []string) error {
	var faults []error
	for _, id := range ids {
		if on := v.on(id); len(on) > 1 {
			faults = append(faults, cluster.WithHint(fmt.Errorf("restart service %q: it is on %s and on %s", id, on[0].node, on[1].node),
				"remove it, which stops all of it, and add it again"))
		}
	}
	return errors.Join(faults...)
}

// Leave removes what is kept on nodes for the cluster, on all that answer or, unless
// name is empty, on that one. It may be called again. A node that has services is
// an error.
func (e *Engine) Leave(ctx context.Context, name string) error {
	var nodes []cluster.Node
	for _, node := range e.look(ctx, e.nodes).answered {
		if name == "" || node.Name == name {
			nodes = append(nodes, node)
		}
	}
	// One after the other: of those that share a directory the last one clears it.
	return remote.Each(ctx, nodes, 1, func(ctx context.Context, node cluster.Node) error {
		if _, err := e.ask(ctx, node, protocol.Request{Action: protocol.Leave}); err != nil {
			return &cluster.NodeError{Node: node.Name, Err: err}
		}
		return nil
	})
}

// Logs implements engine.Engine. It reads the log on the node where the service is.
func (e *Engine) Logs(ctx context.Context, id string, lines int, follow bool, w io.Writer) error {
	v, err := e.view(ctx)
	if err != nil {
		return err
	}
	found, err := e.find(v, []string{id})
	if err != nil {
		return err
	}
	from := found[0]
	for _, p := range found {
		if p.State == cluster.Running {
			from = p
		}
	}
	request := protocol.Request{Action: protocol.Logs, IDs: []string{id}, Lines: lines}
	if follow {
		request.Action = protocol.Follow
	}
	_, err = e.call(ctx, e.node(from.node), request, w)
	if follow && ctx.Err() != nil {
		return nil
	}
	var exit *remote.ExitError
	if errors.As(err, &exit) && exit.Code != beside.ExitAbsent {
		return fmt.Errorf("logs of service %q on %s: %s", id, from.node, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
