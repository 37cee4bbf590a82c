package direct

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// planned is what is wanted, beside what is there.
type planned struct {
	fresh []job    // to be started
	there []placed // there already
	stale []placed // claimed by a command that was killed
}

// plan compares what is wanted with what is there. All that is wrong is said at
// once.
func (e *Engine) plan(v view, services []cluster.Service) (p planned, err error) {
	load := map[string]int{}
	for _, placed := range v.services {
		load[placed.node]++
	}
	var faults []error
	for _, service := range services {
		on := v.on(service.ID)
		if len(on) > 0 && !on[0].Definition.Equal(service) {
			faults = append(faults, cluster.WithHint(fmt.Errorf("add service %q: %w", service.ID, cluster.ErrServiceExists),
				"choose another id, or remove that one first; list services shows it"))
			continue
		}
		if len(on) > 0 && on[0].Claim == "" {
			p.there = append(p.there, on[0])
			continue
		}
		nodes, err := e.place(v, service, load)
		if err != nil {
			faults = append(faults, fmt.Errorf("add service %q: %w", service.ID, err))
			continue
		}
		for _, claimed := range on {
			if claimed.AgeMS > claimAge.Milliseconds() {
				p.stale = append(p.stale, claimed)
			}
		}
		load[nodes[0].Name]++
		p.fresh = append(p.fresh, job{service: service, node: nodes[0], others: nodes[1:]})
	}
	return p, errors.Join(faults...)
}

// place returns the nodes for a new service, the one to try first before others.
func (e *Engine) place(v view, service cluster.Service, load map[string]int) ([]cluster.Node, error) {
	if service.Target != cluster.Any {
		return e.pinned(v, service)
	}
	var capable []string
	var able []cluster.Node
	for _, node := range e.nodes {
		if !offers(node, service.Require) {
			continue
		}
		capable = append(capable, node.Name)
		if v.has(node) && e.userFault(v, service, node) == nil {
			able = append(able, node)
		}
	}
	switch {
	case len(capable) == 0:
		return nil, fmt.Errorf("no node has the capability %q", service.Require)
	case len(able) == 0:
		for _, node := range v.answered {
			if err := e.userFault(v, service, node); offers(node, service.Require) && err != nil {
				return nil, err
			}
		}
		return nil, fmt.Errorf("none of the nodes that may run it is online: %v", capable)
	}
	slices.SortStableFunc(able, func(a, b cluster.Node) int { return cmp.Compare(load[a.Name], load[b.Name]) })
	return able[:min(maxNodes, len(able))], nil
}

func (e *Engine) pinned(v view, service cluster.Service) ([]cluster.Node, error) {
	at := slices.IndexFunc(e.nodes, func(n cluster.Node) bool { return n.Name == service.Target })
	if at < 0 {
		var known []string
		for _, node := range e.nodes {
			known = append(known, node.Name)
		}
		return nil, &cluster.NotFoundError{Kind: "node", Name: service.Target, In: e.spec.Name, Known: known}
	}
	node := e.nodes[at]
	if !offers(node, service.Require) {
		return nil, fmt.Errorf("%s does not have the capability %q", node.Name, service.Require)
	}
	for _, s := range v.silent {
		switch {
		case s.node.Name != node.Name:
		case s.reached():
			return nil, fmt.Errorf("%s cannot run it: %w", node.Name, s.err)
		default:
			return nil, fmt.Errorf("%s is %s: %w", node.Name, cluster.Offline, s.err)
		}
	}
	return []cluster.Node{node}, e.userFault(v, service, node)
}

func offers(node cluster.Node, capability string) bool {
	return capability == "" || slices.Contains(node.Capabilities, capability)
}

func (v view) has(node cluster.Node) bool { _, ok := v.uids[node.Name]; return ok }

// userFault says that a node cannot run a service as the user that it wants.
func (e *Engine) userFault(v view, service cluster.Service, node cluster.Node) error {
	login := e.spec.User(node.Name)
	if service.User == "" || service.User == login || v.uids[node.Name] == 0 {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("only root can run it as %q, and %s is logged in to as %q", service.User, node.Name, login),
		"leave --user out, and it runs as %q", login)
}
