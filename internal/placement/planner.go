package placement

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// Planner chooses candidates so that services spread over the nodes.
type Planner struct {
	nodes     cluster.NodesFile
	resources cib.Resources
	mon       cib.Mon
	load      map[string]int // services that may run on a node, by its name
}

// New returns the planner of a cluster in this state, with these services.
func New(nodes cluster.NodesFile, resources cib.Resources, mon cib.Mon) *Planner {
	p := &Planner{nodes: nodes, resources: resources, mon: mon, load: map[string]int{}}
	for _, primitive := range resources.Primitives {
		p.count(primitive.Candidates())
	}
	return p
}

func (p *Planner) count(candidates []string) {
	for _, node := range candidates {
		p.load[node]++
	}
}

// Place returns the candidates of a new service, the best one first. Its target
// must exist, have the capability that the service requires and be online: what
// could not start now is an error now, not a service that waits.
func (p *Planner) Place(service cluster.Service) ([]string, error) {
	place := p.onAny
	if service.Target != cluster.Any {
		place = p.pinned
	}
	candidates, err := place(service)
	p.count(candidates)
	return candidates, err
}

func (p *Planner) onAny(service cluster.Service) ([]string, error) {
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
	return p.leastLoaded(capable, online, p.limit()), nil
}

func (p *Planner) pinned(service cluster.Service) ([]string, error) {
	at := slices.IndexFunc(p.nodes.Nodes, func(n cluster.NodeOffer) bool { return n.Name == service.Target })
	if at < 0 {
		return nil, p.notFound(service.Target)
	}
	node := p.nodes.Nodes[at]
	if !offers(node, service.Require) {
		return nil, fmt.Errorf("%s does not have the capability %q", node.Name, service.Require)
	}
	if state := p.mon.NodeState(node.Name); state != cluster.Online {
		return nil, fmt.Errorf("%s is %s", node.Name, state)
	}
	return []string{node.Name}, nil
}

func (p *Planner) notFound(node string) error {
	known := make([]string, 0, len(p.nodes.Nodes))
	for _, node := range p.nodes.Nodes {
		known = append(known, node.Name)
	}
	return &cluster.NotFoundError{Kind: "node", Name: node, In: p.nodes.Cluster, Known: known}
}

// limit is how many candidates a service gets that may run on any node. Large
// clusters have one less, as every probe costs them more, and one that is lost
// can be replaced ([Planner.Refill]).
func (p *Planner) limit() int {
	if len(p.nodes.Nodes) > cluster.MaxFull {
		return cib.MaxCandidates - 1
	}
	return cib.MaxCandidates
}

func offers(node cluster.NodeOffer, capability string) bool {
	return capability == "" || slices.Contains(node.Capabilities, capability)
}

// able are the nodes that have the capability that a service requires, and those
// of them that are online.
func (p *Planner) able(service cluster.Service) (capable, online []string) {
	for _, node := range p.nodes.Nodes {
		if !offers(node, service.Require) {
			continue
		}
		capable = append(capable, node.Name)
		if p.mon.NodeState(node.Name) == cluster.Online {
			online = append(online, node.Name)
		}
	}
	return capable, online
}

// leastLoaded returns up to n of the nodes, online ones first, then those that
// may run the fewest services.
func (p *Planner) leastLoaded(nodes, online []string, n int) []string {
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
