package pacemaker

import (
	"context"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// Past implements engine.Engine.
func (e *Engine) Past(ctx context.Context) (cluster.Past, error) {
	s, err := e.glance(ctx)
	if err != nil {
		return cluster.Past{}, err
	}
	out, err := s.ask(ctx, "cibadmin", "--query", "--scope", "crm_config")
	if err != nil {
		return cluster.Past{}, err
	}
	return cib.ParsePast(out)
}

// statesOf are our nodes, and those that the cluster has besides: one whose machine
// is gone keeps its vote. votes are the names of those that Corosync gives one;
// none if that is not known.
func (e *Engine) statesOf(mon cib.Mon, votes []string) []cluster.Node {
	nodes := slices.Clone(e.nodes)
	has := func(name string) bool {
		return slices.ContainsFunc(nodes, func(n cluster.Node) bool { return n.Name == name })
	}
	for _, known := range mon.Nodes {
		matters := mon.NodeState(known.Name) != cluster.Offline || slices.Contains(votes, known.Name) || !e.gaveUp(known.Name)
		if matters && !has(known.Name) {
			nodes = append(nodes, cluster.Node{Index: cluster.NodeIndex(known.Name), Name: known.Name, Capabilities: []string{}})
		}
	}
	for i := range nodes {
		nodes[i].State = mon.NodeState(nodes[i].Name)
		nodes[i].LastFenced = mon.LastFenced(nodes[i].Name)
		nodes[i].Role = roleOf(nodes[i].Name, mon, votes)
	}
	return nodes
}

// gaveUp reports whether a node was removed for good. A node that becomes the DC
// writes down once more those that it knows to have been fenced in its time
// (Pacemaker 2.1.5, execute_stonith_cleanup).
func (e *Engine) gaveUp(name string) bool {
	if e.spec.Type == cluster.AdHoc {
		_, is := e.spec.Host(name)
		return !is && len(e.spec.Removed) > 0
	}
	return slices.Contains(e.spec.Removed, cluster.NodeIndex(name))
}

// roleOf is the role of a node; empty for one that is no part of the cluster.
// Corosync decides who votes: Pacemaker may remember a full node that lost its vote
// to another.
func roleOf(node string, mon cib.Mon, votes []string) cluster.Role {
	role, known := mon.NodeRole(node)
	switch {
	case slices.Contains(votes, node):
		return cluster.Full
	case known && len(votes) > 0:
		return cluster.Remote
	}
	return role
}
