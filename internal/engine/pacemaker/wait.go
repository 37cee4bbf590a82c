package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// failure is a service that does not run, and why.
type failure struct {
	id     string
	reason string
	node   string // where it failed last; empty if it failed nowhere
	cause  error  // what ended the wait, if not a failure of the service
}

// waitRunning waits until each service runs or has failed. A service in
// previous counts as running only once it is another run than the one named
// there.
func (s *session) waitRunning(ctx context.Context, primitives []cib.Primitive, begin time.Time, previous map[string]string) (running []engine.Added, failed []failure) {
	open := map[string]cib.Primitive{}
	for _, primitive := range primitives {
		id, _ := cluster.ServiceIDOf(primitive.ID)
		open[id] = primitive
	}
	last := map[string]cluster.ServiceStatus{}
	err := s.poll(ctx, func(mon cib.Mon) (bool, error) {
		for id, primitive := range open {
			status, err := mon.ServiceStatus(primitive)
			if err != nil {
				return false, err
			}
			last[id] = status
			switch {
			case status.State == cluster.Running && (previous == nil || mon.StartedAs(id) != previous[id]):
				running = append(running, engine.Added{ID: id, Node: status.Node, Took: time.Since(begin)})
				delete(open, id)
			case status.State == cluster.Failed || status.State == cluster.Stopped:
				f, _ := mon.LastFailure(id)
				failed = append(failed, failure{id: id, reason: status.Reason, node: f.Node})
				delete(open, id)
			}
		}
		return len(open) == 0, nil
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	for id := range open {
		failed = append(failed, failure{id: id, reason: "still " + string(last[id].State), node: last[id].Node, cause: err})
	}
	return running, failed
}

// explain turns failures into one error, with the last lines that each service
// printed.
func (s *session) explain(ctx context.Context, failed []failure, verb string) error {
	var all []error
	for _, f := range failed {
		err := fmt.Errorf("%s service %q: it does not run: %s", verb, f.id, f.reason)
		if f.cause != nil {
			err = fmt.Errorf("%s service %q: %w, and it is %s", verb, f.id, f.cause, f.reason)
		}
		if lines := s.lastLines(ctx, f); lines != "" {
			err = &engine.OutputError{Err: err, Output: lines}
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// shownLines is how many of a daemon's last lines go with an error.
const shownLines = 10

// lastLines are the last lines of a service that failed; empty if they cannot
// be had, since the failure itself is what matters.
func (s *session) lastLines(ctx context.Context, f failure) string {
	if f.node == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	client, err := s.engine.pool.Client(ctx, f.node)
	if err != nil {
		return ""
	}
	out, err := client.Output(ctx, journal(f.id, shownLines, "cat")...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
