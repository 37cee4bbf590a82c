package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/release"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// owner begins a switch; where root logs in, the releases are the service user's.
func (g *NodeGroup) owner(node string) []string { return g.releaseArgs("switch", node) }

func (g *NodeGroup) releaseArgs(action, node string) []string {
	if g.spec.User(node) != "root" || g.spec.ServiceUser == "" {
		return []string{action}
	}
	return []string{action, "--owner", g.spec.ServiceUser}
}

// syncNode is one node during a sync.
type syncNode struct {
	Synced
	state release.State // as it was before
}

type syncNodes []*syncNode

// lookAll asks all nodes what they have. Those that do not answer, or cannot take a
// release, have their error.
func (g *NodeGroup) lookAll(ctx context.Context, inPlace bool) (syncNodes, error) {
	members, err := g.join(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make(syncNodes, len(members))
	for i, member := range members {
		nodes[i] = &syncNode{Synced: Synced{Node: member.Name}}
	}
	nodes.each(ctx, func(ctx context.Context, node *syncNode) error {
		args := []string{"look"}
		if inPlace {
			args = append(args, "--in-place")
		}
		var err error
		node.state, err = g.askRelease(ctx, node.Node, args, nil)
		node.Release, node.Before = node.state.Current, node.state.Current
		return errors.Join(err, g.faultOf(node.state))
	})
	return nodes, nil
}

// each does something on all nodes that have no error yet, and returns what came of
// it.
func (n syncNodes) each(ctx context.Context, do func(context.Context, *syncNode) error) []Synced {
	_ = remote.Each(ctx, n, 0, func(ctx context.Context, node *syncNode) error {
		if node.Err != nil {
			return nil
		}
		if err := do(ctx, node); err != nil {
			node.Err = &cluster.NodeError{Node: node.Node, Err: err}
		}
		return nil
	})
	all := make([]Synced, len(n))
	for i, node := range n {
		all[i] = node.Synced
	}
	return all
}

// inUse are the releases in use on any node: nodes may have one directory in common,
// and each sees its own processes only.
func (n syncNodes) inUse() []string {
	var all []string
	for _, node := range n {
		for _, use := range node.state.Uses {
			if !slices.Contains(all, use.Release) {
				all = append(all, use.Release)
			}
		}
	}
	return all
}

// took notes what a node answered.
func (n *syncNode) took(state release.State, err error) error {
	if err != nil {
		return err
	}
	n.take(state)
	return nil
}

func (n *syncNode) take(state release.State) {
	n.Release, n.Pruned = state.Current, state.Pruned
	for _, use := range state.Uses {
		if use.Runs && use.Release != state.Current {
			n.Old = append(n.Old, OldUse{Service: use.Service, Release: use.Release, PID: use.PID, Program: use.Program})
		}
	}
}

// faultOf is the error of what a node could not do.
func (g *NodeGroup) faultOf(state release.State) error {
	if state.Fault == "" {
		return nil
	}
	err := errors.New(state.Reason)
	again := fmt.Sprintf("sirikata-cluster %s sync sirikata %s", g.spec.Type, g.spec.Name)
	switch state.Fault {
	case release.Foreign:
		return cluster.WithHint(err, "empty it, or create the cluster with another path; %s … --in-place unpacks over it, with no way back", again)
	case release.NoSpace:
		return cluster.WithHint(fmt.Errorf("no space: %w", err), "make room on it, and sync again: what is done is not done twice")
	case release.CutOff, release.Moved:
		return cluster.WithHint(err, "sync again: it goes on where it stopped")
	case release.Conflict:
		return cluster.WithHint(err, "move it away, or make it writable, and sync again")
	case release.Failed:
	}
	return err
}
