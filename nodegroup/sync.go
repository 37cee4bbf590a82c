package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// SyncOptions are how a release is synced.
type SyncOptions struct {
	// InPlace unpacks over a directory that is not ours, without releases and
	// with no way back.
	InPlace bool
	// Progress gets how many of how many bytes were sent, to all nodes together,
	// from one goroutine at a time. It may be nil.
	Progress func(done, all int64)
}

// Synced is what came of a sync on one node.
type Synced struct {
	Node string
	// Release is the digest of the release from which services start now, and
	// Before of that from which they started before; empty if there was none.
	Release, Before string
	// Sent is how many bytes were sent there; 0 if the release was there already.
	Sent int64
	// Pruned are the digests of releases that were removed.
	Pruned []string
	// Old are what still runs another release.
	Old []OldUse
	// Err says why the node is as it was before; nil if it is not.
	Err error
}

// OldUse is a process that runs a release other than the current one.
type OldUse struct {
	Service string // empty if it is not known
	Release string // digest
	PID     int
	Program string
}

// SyncSirikata puts a release on all nodes at once and switches each node to it: an
// installed Sirikata, or a file of [Package]. It returns the digest, and what came
// of it on each node, in the order of the nodes. A node that fails is as it was; the
// others are done. Services go on with the release that they run until they are
// restarted.
//
// The source is read and checked before any node is contacted: all that is wrong
// with it is one *cluster.InvalidError. It can be repeated, and goes on where an
// earlier one broke off. Only one command that changes nodes works on a cluster at a
// time: cluster.ErrLocked.
func (g *NodeGroup) SyncSirikata(ctx context.Context, path string, options SyncOptions) (string, []Synced, error) {
	unlock, err := g.store.Lock(g.spec.Name, "sync sirikata")
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	g.env.progress("reading " + path)
	from, err := g.packages().openSource(ctx, path)
	if err != nil {
		return "", nil, err
	}
	nodes, err := g.lookAll(ctx, options.InPlace)
	if err != nil {
		return "", nil, err
	}
	run := &syncRun{g: g, digest: from.content.Digest, options: options, inUse: nodes.inUse()}
	lacking := slices.ContainsFunc(nodes, func(n *syncNode) bool { return n.Err == nil && run.lacks(n) })
	if lacking {
		if run.stream, err = from.stream(ctx); err != nil {
			return "", nil, err
		}
		g.env.progress(fmt.Sprintf("sending %.1f MB to the nodes that lack it", float64(run.stream.Size)/1e6))
		run.count(nodes)
	}
	return run.digest, nodes.each(ctx, run.to), nil
}

// RollbackSirikata switches each node back to the release before the current one.
// It returns what came of it on each node. A node that has, already, the release
// that others go back to stays: it missed the last sync.
func (g *NodeGroup) RollbackSirikata(ctx context.Context) ([]Synced, error) {
	unlock, err := g.store.Lock(g.spec.Name, "sync sirikata")
	if err != nil {
		return nil, err
	}
	defer unlock()
	nodes, err := g.lookAll(ctx, false)
	if err != nil {
		return nil, err
	}
	targets := map[string]bool{} // what nodes go back to
	for _, node := range nodes {
		if node.Err == nil && node.state.Previous != "" {
			targets[node.state.Previous] = true
		}
	}
	return nodes.each(ctx, func(ctx context.Context, node *syncNode) error {
		if current := node.state.Current; current != "" && targets[current] {
			node.take(node.state)
			return nil
		}
		if node.state.Previous == "" {
			return cluster.WithHint(errors.New("there is no earlier release on it"), "sync one: sirikata-cluster %s sync sirikata %s PACKAGE", g.spec.Type, g.spec.Name)
		}
		state, err := g.askRelease(ctx, node.Node, append(g.owner(node.Node), "--digest", node.state.Previous, "--back"), nil)
		return node.took(state, err)
	}), nil
}
