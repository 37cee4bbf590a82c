package pacemaker

import (
	"context"
	"errors"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// Restart implements engine.Engine.
func (e *Engine) Restart(ctx context.Context, ids []string) ([]engine.Added, error) {
	begin := time.Now()
	s, err := e.session(ctx)
	if err != nil {
		return nil, err
	}
	mon := s.view.mon
	primitives, err := e.find(s.view.resources, ids)
	if err != nil || len(primitives) == 0 {
		return nil, err
	}
	before := map[string]earlier{}
	var changed cib.Change
	for i, primitive := range primitives {
		before[ids[i]] = earlierOf(mon, ids[i])
		started, err := s.revive(ctx, primitive)
		if err != nil {
			return nil, err
		}
		if started {
			continue
		}
		if err := changed.Restart(primitive); err != nil {
			return nil, err
		}
	}
	if !changed.Empty() {
		if err := s.modify(ctx, changed); err != nil {
			return nil, err
		}
	}
	restarted, failed := s.waitRunning(ctx, primitives, begin, nil, before)
	return restarted, errors.Join(s.explain(ctx, failed, "restart"), s.forgetFailures(ctx, restarted))
}

// revive makes Pacemaker manage a service again that it gave up, and reports
// whether it starts it thereby.
//
// It leaves all others alone. A clean-up takes the resource out of Pacemaker's
// executor for a moment, and a start that comes in this moment fails for good
// ("No such device", a million failures). And once it has looked what runs,
// Pacemaker takes what it finds for a run of the generation of that moment.
func (s *session) revive(ctx context.Context, primitive cib.Primitive) (started bool, err error) {
	status, err := s.view.mon.ServiceStatus(primitive)
	if err != nil || status.State != cluster.Failed {
		return false, err
	}
	if _, err := s.client.Output(ctx, "crm_resource", "--cleanup", "--resource", primitive.ID); err != nil {
		return false, err
	}
	if status.Node == "" {
		return true, nil
	}
	// It could not be stopped, and is there still.
	err = s.poll(ctx, func(mon cib.Mon) (bool, error) {
		resource, _ := mon.Resource(status.ID)
		return resource.Active && !resource.Failed && !resource.Blocked, nil
	})
	return false, err
}

// forgetFailures clears what is left of earlier failures of services that run
// again. Pacemaker does so itself where it remembers the failed action.
func (s *session) forgetFailures(ctx context.Context, restarted []engine.Added) error {
	var ids []string
	for _, service := range restarted {
		ids = append(ids, service.ID)
	}
	transient, err := s.attributes(ctx)
	if err != nil {
		return err
	}
	return s.forgetLeftovers(ctx, ids, transient)
}
