package pacemaker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// failure is a service that does not run, and why.
type failure struct {
	id     string
	reason string
	last   cib.MonFailure // its last failure; zero if it did not fail
	cause  error          // what ended the wait, if not a failure of the service
}

// earlier is a service before it was restarted.
type earlier struct {
	run     string // of cib.Mon.StartedAs
	failure cib.MonFailure
}

func earlierOf(mon cib.Mon, id string) earlier {
	failure, _ := mon.LastFailure(id)
	return earlier{run: mon.StartedAs(id), failure: failure}
}

// restarted reports whether a service that runs is another run than before.
func (e earlier) restarted(mon cib.Mon, id string) bool {
	run := mon.StartedAs(id)
	return run != "" && run != e.run
}

// forgotten reports whether a service that failed did so since, so that what
// crm_mon says is not the failure that is about to be forgotten.
func (e earlier) forgotten(mon cib.Mon, id string) bool {
	failure, ok := mon.LastFailure(id)
	return ok && failure != e.failure
}

// soonest is how long after a change of the configuration nothing can run yet:
// the node is looked for that may run it, and the agent watches each start for
// 200 ms. Looking earlier only takes the processor from them.
const soonest = 150 * time.Millisecond

// waitRunning waits until each service runs or has failed. Those in fresh did not
// exist before; one in before must run, or fail, again.
func (s *session) waitRunning(ctx context.Context, primitives []cib.Primitive, begin time.Time, fresh []string, before map[string]earlier) (running []engine.Added, failed []failure) {
	open := map[string]cib.Primitive{}
	for _, primitive := range primitives {
		id, _ := cluster.ServiceIDOf(primitive.ID)
		open[id] = primitive
	}
	if len(open) > 0 {
		// A context that ends is noticed below.
		_ = engine.Pause(ctx, soonest+s.took)
	}
	for id, node := range s.started(ctx, fresh) {
		running = append(running, engine.Added{ID: id, Node: node, Took: time.Since(begin)})
		delete(open, id)
	}
	if len(open) == 0 {
		return running, nil
	}
	last := map[string]failure{}
	said := 0
	err := s.poll(ctx, func(mon cib.Mon) (bool, error) {
		for id, primitive := range open {
			status, err := mon.ServiceStatus(primitive)
			if err != nil {
				return false, err
			}
			f, _ := mon.LastFailure(id)
			last[id] = failure{id: id, reason: status.Reason, last: f}
			was, again := before[id]
			switch {
			case status.State == cluster.Running && again && !was.restarted(mon, id):
			case status.State == cluster.Failed && again && !was.forgotten(mon, id):
			case status.State == cluster.Running:
				running = append(running, engine.Added{ID: id, Node: status.Node, Took: time.Since(begin)})
				delete(open, id)
			case status.State == cluster.Failed || status.State == cluster.Stopped:
				failed = append(failed, last[id])
				delete(open, id)
			}
		}
		said = s.progressOf(len(running), len(primitives), said)
		return len(open) == 0, nil
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	for id := range open {
		f := last[id]
		failed = append(failed, failure{id: id, last: f.last, cause: err})
	}
	return running, failed
}

// progressOf says how many of several services run, if that changed.
func (s *session) progressOf(running, all, said int) int {
	if all > 1 && running != said {
		s.engine.progress(fmt.Sprintf("%d of %d services run", running, all))
	}
	return running
}

// explain turns failures into one error, with the last lines that each service
// printed.
func (s *session) explain(ctx context.Context, failed []failure, verb string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linesTimeout)
	defer cancel()
	return remote.Each(ctx, failed, 0, func(ctx context.Context, f failure) error {
		lines := s.lastLines(ctx, f)
		err := f.error(verb, lines != "")
		if lines != "" {
			err = &engine.OutputError{Err: err, Output: lines}
		}
		return err
	})
}

// error says what became of a service. Its last words are left out of the reason
// where they are shown beside it.
func (f failure) error(verb string, shown bool) error {
	reason := f.reason
	if f.last.Node != "" && f.cause != nil {
		reason = f.last.String()
	}
	if shown {
		reason, _, _ = strings.Cut(reason, cluster.LastPrinted)
	}
	switch {
	case f.cause != nil && reason == "":
		return fmt.Errorf("%s service %q: it does not run yet: %w", verb, f.id, f.cause)
	case f.cause != nil:
		return fmt.Errorf("%s service %q: it does not run yet: %w; its last failure: %s", verb, f.id, f.cause, reason)
	}
	return fmt.Errorf("%s service %q: it does not run: %s", verb, f.id, reason)
}

const (
	// shownLines is how many of a daemon's last lines go with an error.
	shownLines = 10
	// linesTimeout is for how long the lines of all services are waited for.
	linesTimeout = 5 * time.Second
)

// lastLines are the last lines of a service that failed; empty if they cannot
// be had, since the failure itself is what matters.
func (s *session) lastLines(ctx context.Context, f failure) string {
	if f.last.Node == "" {
		return ""
	}
	client, err := s.engine.pool.Client(ctx, f.last.Node)
	if err != nil {
		return ""
	}
	out, err := client.Output(ctx, journal(f.id, shownLines, "cat", sinceStart(f.last)...)...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// sinceStart limits the journal to the start that failed: an earlier service of
// the same id has left its lines there.
func sinceStart(f cib.MonFailure) []string {
	began, ok := f.Began()
	if !ok || f.Task != "start" {
		return nil
	}
	return []string{"--since=@" + strconv.FormatInt(began.Unix(), 10)}
}
