package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// Remove implements engine.Engine.
func (e *Engine) Remove(ctx context.Context, ids []string) error {
	s, err := e.glance(ctx)
	if err != nil {
		return err
	}
	if _, err := e.find(s.view.resources, ids); err != nil {
		return err
	}
	return s.remove(ctx, ids)
}

// remove deletes the definitions, upon which Pacemaker stops the services and
// forgets them, and waits until it has.
func (s *session) remove(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := s.delete(ctx, ids); err != nil {
		return err
	}
	// The nodes decide first; a context that ends is noticed below.
	_ = engine.Pause(ctx, s.took)
	err := s.follow(ctx, ids, func(h cib.History) bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return !h.Stopped(id) })
	})
	if errors.Is(err, errUnclear) {
		err = s.waitStopped(ctx, ids)
	}
	if err != nil {
		return err
	}
	transient, err := s.attributes(ctx)
	if err != nil {
		return err
	}
	return s.forgetLeftovers(ctx, ids, transient)
}

// waitStopped waits until no service is active in Pacemaker's eyes.
func (s *session) waitStopped(ctx context.Context, ids []string) error {
	var waiting string
	err := s.poll(ctx, func(mon cib.Mon) (bool, error) {
		for _, id := range ids {
			resource, ok := mon.Resource(id)
			if !ok || !resource.Active {
				continue
			}
			if resource.Blocked {
				failure, _ := mon.LastFailure(id)
				return false, fmt.Errorf("remove service %q: it does not stop: %s", id, failure)
			}
			waiting = id
			return false, nil
		}
		return true, nil
	})
	if ctx.Err() != nil {
		return waited(ctx, fmt.Sprintf("remove service %q: it has not stopped yet", waiting))
	}
	return err
}
