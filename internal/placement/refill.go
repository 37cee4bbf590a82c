package placement

import (
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// Refill gives services on any node other candidates for those that are gone or
// lost.
func (p *Planner) Refill() (cib.Change, error) {
	var change cib.Change
	for _, primitive := range p.resources.Primitives {
		service, err := primitive.Service()
		if err != nil {
			return cib.Change{}, err
		}
		if service.Target != cluster.Any {
			continue
		}
		have := primitive.Candidates()
		want := p.refilled(service, have)
		if slices.Equal(have, want) {
			continue
		}
		p.count(want)
		change.Candidates(primitive, want)
	}
	return change, nil
}

// refilled are the candidates of a service after those that are gone or offline
// were replaced. All others stay, and the order, so that nothing that runs is
// moved: a node that is about to join or to be fenced may run the service. One
// that is offline stays where nobody can take its place.
func (p *Planner) refilled(service cluster.Service, have []string) []string {
	capable, online := p.able(service)
	limit := p.limit()
	if !service.Failover {
		limit = 1
	}
	var keep, lost []string
	for _, node := range have {
		switch {
		case !slices.Contains(capable, node):
		case p.mon.NodeState(node) == cluster.Offline:
			lost = append(lost, node)
		default:
			keep = append(keep, node)
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
