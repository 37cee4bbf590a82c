package pacemaker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// planner chooses the candidates of new services so that they spread over the
// nodes.
type planner struct {
	engine *Engine
	mon    cib.Mon
	load   map[string]int // services that may run on a node, by its name
}

func (e *Engine) planner(resources cib.Resources, mon cib.Mon) *planner {
	p := &planner{engine: e, mon: mon, load: map[string]int{}}
	for _, primitive := range resources.Primitives {
		p.count(primitive.Candidates())
	}
	return p
}

func (p *planner) count(candidates []string) {
	for _, node := range candidates {
		p.load[node]++
	}
}

// primitive plans one service. Its target must exist, have the capability that
// the service requires and be online: what could not start now is an error
// now, not a service that waits.
func (p *planner) primitive(service cluster.Service) (cib.Primitive, error) {
	candidates, err := p.candidates(service)
	if err != nil {
		return cib.Primitive{}, fmt.Errorf("add service %q: %w", service.ID, err)
	}
	p.count(candidates)
	return cib.NewPrimitive(service, candidates)
}

func (p *planner) candidates(service cluster.Service) ([]string, error) {
	if service.Target != cluster.Any {
		return p.pinned(service)
	}
	capable, online := p.able(service)
	switch {
	case len(capable) == 0:
		return nil, fmt.Errorf("no node has the capability %q", service.Require)
	case len(online) == 0:
		return nil, fmt.Errorf("none of the nodes that may run it is online: %v", capable)
	}
	if !service.Failover {
		// A service that never moves needs no second node.
		return p.leastLoaded(online, online, 1), nil
	}
	return p.leastLoaded(capable, online, cib.MaxCandidates), nil
}

// able are the nodes that have the capability that a service requires, and those
// of them that are online.
func (p *planner) able(service cluster.Service) (capable, online []string) {
	for _, node := range p.engine.nodes {
		if service.Require != "" && !slices.Contains(node.Capabilities, service.Require) {
			continue
		}
		capable = append(capable, node.Name)
		if p.mon.NodeState(node.Name) == cluster.Online {
			online = append(online, node.Name)
		}
	}
	return capable, online
}

func (p *planner) pinned(service cluster.Service) ([]string, error) {
	node, err := p.engine.node(service.Target)
	if err != nil {
		return nil, err
	}
	if service.Require != "" && !slices.Contains(node.Capabilities, service.Require) {
		return nil, fmt.Errorf("%s does not have the capability %q", node.Name, service.Require)
	}
	if state := p.mon.NodeState(node.Name); state != cluster.Online {
		return nil, fmt.Errorf("%s is %s", node.Name, state)
	}
	return []string{node.Name}, nil
}

// leastLoaded returns up to n of the nodes, online ones first, then those that
// may run the fewest services.
func (p *planner) leastLoaded(nodes, online []string, n int) []string {
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b string) int {
		if up := slices.Contains(online, a); up != slices.Contains(online, b) {
			if up {
				return -1
			}
			return 1
		}
		return cmp.Compare(p.load[a], p.load[b])
	})
	return nodes[:min(n, len(nodes))]
}
