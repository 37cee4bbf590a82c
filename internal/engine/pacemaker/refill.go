package pacemaker

import (
	"context"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Refill implements engine.Engine.
func (e *Engine) Refill(ctx context.Context) error {
	s, err := e.session(ctx)
	if err != nil {
		return err
	}
	refills, err := s.refills()
	if err != nil || len(refills.Primitives) == 0 {
		return err
	}
	return s.modify(ctx, refills)
}

// refills are the services whose candidates are to change.
func (s *session) refills() (refills change, err error) {
	planner := s.engine.planner(s.view.resources, s.view.mon)
	for _, primitive := range s.view.resources.Primitives {
		service, err := primitive.Service()
		if err != nil {
			return change{}, err
		}
		if service.Target != cluster.Any {
			continue
		}
		have := primitive.Candidates()
		want := planner.refilled(service, have)
		if slices.Equal(have, want) {
			continue
		}
		planner.count(want)
		refills.meta(primitive, primitive.WithCandidates(want)...)
	}
	return refills, nil
}

// refilled are the candidates of a service after those that are gone or lost
// were replaced. Those that are online stay, and the order, so that nothing that
// runs is moved. One that is lost stays where nobody can take its place.
func (p *planner) refilled(service cluster.Service, have []string) []string {
	capable, online := p.able(service)
	limit := p.limit()
	if !service.Failover {
		limit = 1
	}
	var keep, lost []string
	for _, node := range have {
		switch {
		case slices.Contains(online, node):
			keep = append(keep, node)
		case slices.Contains(capable, node):
			lost = append(lost, node)
		}
	}
	if !service.Failover && len(lost) > 0 {
		return have
	}
	fresh := slices.DeleteFunc(slices.Clone(online), func(node string) bool { return slices.Contains(keep, node) })
	keep = append(keep, p.leastLoaded(fresh, fresh, max(limit-len(keep), 0))...)
	keep = append(keep, lost...)
	if len(keep) == 0 {
		return have
	}
	return keep[:min(limit, len(keep))]
}
