package pacemaker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

const (
	// followable is for how many services we follow their histories instead of the
	// state of the whole cluster.
	followable = 4
	// followPause is the shortest pause between two looks at them, and followLimit for
	// how long we follow: what keeps a service from starting may not be in its history.
	followPause = 50 * time.Millisecond
	followLimit = 4 * time.Second
)

// errUnclear says that the histories do not tell what became of services, or not
// soon, so that the cluster has to be asked.
var errUnclear = errors.New("the histories of the services do not tell")

// follow looks at the histories of services until done says so. On a large cluster
// a look at the state of all, which has Pacemaker's scheduler work it out anew,
// takes longer than a start or a stop, and from the same processors.
func (s *session) follow(ctx context.Context, ids []string, done func(cib.History) bool) error {
	if len(ids) == 0 || len(ids) > followable {
		return errUnclear
	}
	for begin := time.Now(); time.Since(begin) < s.engine.followed; {
		asked := time.Now()
		out, err := s.ask(ctx, "cibadmin", "--query", "--xpath", cib.HistoryXPath(ids))
		if err != nil && remote.ExitCode(err) != cib.ExitNoSuch {
			return errUnclear // and whoever asks the cluster finds out why
		}
		history, err := cib.ParseHistory(out)
		if err != nil {
			return err
		}
		if done(history) {
			return nil
		}
		if err := engine.Pause(ctx, max(followPause, time.Since(asked))); err != nil {
			return errUnclear
		}
	}
	return errUnclear
}

// started returns the nodes on which those of the services run that are known to,
// once all have been tried. They did not exist before.
func (s *session) started(ctx context.Context, ids []string) map[string]string {
	nodes := map[string]string{}
	err := s.follow(ctx, ids, func(h cib.History) bool {
		if slices.ContainsFunc(ids, func(id string) bool { return !h.Tried(id) }) {
			return false
		}
		for _, id := range ids {
			if node, ok := h.Started(id); ok {
				nodes[id] = node
			}
		}
		return true
	})
	if err != nil {
		return nil
	}
	return nodes
}
