package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/release"
	"github.com/sirikata/sirikata-cluster/internal/remote"
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

// syncRun is one sync of one release.
type syncRun struct {
	g       *NodeGroup
	digest  string
	stream  releaseStream
	options SyncOptions
	inUse   []string
	sent    func(n int)
}

func (r *syncRun) lacks(node *syncNode) bool { return r.options.InPlace || !node.state.Has(r.digest) }

// count makes progress of what is sent to all that lack the release.
func (r *syncRun) count(nodes syncNodes) {
	var all int64
	for _, node := range nodes {
		if node.Err == nil && r.lacks(node) {
			all += r.stream.Size
		}
	}
	r.sent = r.counter(all)
}

// counter adds up what several goroutines do.
func (r *syncRun) counter(all int64) func(n int) {
	if r.options.Progress == nil {
		return func(int) {}
	}
	var done atomic.Int64
	turn := make(chan struct{}, 1)
	return func(n int) {
		now := done.Add(int64(n))
		select {
		case turn <- struct{}{}:
			r.options.Progress(now, all)
			<-turn
		default: // another one shows it
		}
	}
}

// tries is how often a transfer begins at another offset. More than one other at a
// time is not at work there.
const tries = 3

// to puts the release on one node.
func (r *syncRun) to(ctx context.Context, node *syncNode) error {
	if !r.lacks(node) {
		state, err := r.g.askRelease(ctx, node.Node, append(r.g.owner(node.Node), r.args()...), nil)
		return node.took(state, errors.Join(err, r.g.faultOf(state)))
	}
	var state release.State
	var offset int64
	for range tries {
		var err error
		if state, err = r.transfer(ctx, node, offset); err != nil {
			return err
		}
		if state.Fault != release.Moved {
			break
		}
		offset = state.Offset
	}
	return node.took(state, r.g.faultOf(state))
}

// args are those of install and switch.
func (r *syncRun) args() []string {
	args := []string{"--digest", r.digest}
	if len(r.inUse) > 0 {
		args = append(args, "--in-use", strings.Join(r.inUse, ","))
	}
	return args
}

// transfer sends the stream from an offset on.
func (r *syncRun) transfer(ctx context.Context, node *syncNode, offset int64) (release.State, error) {
	file, err := os.Open(r.g.packages().file(r.digest))
	if err != nil {
		return release.State{}, err
	}
	defer func() { _ = file.Close() }()
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	args := append(r.g.releaseArgs("install", node.Node), r.args()...)
	args = append(args, "--stdin", "--stream", r.stream.Name, "--offset", number(offset), "--size", number(r.stream.Size),
		"--bytes", number(r.stream.Bytes), "--files", number(r.stream.Files))
	if r.options.InPlace {
		args = append(args, "--in-place")
	}
	counting := &countedReader{from: io.NewSectionReader(file, offset, r.stream.Size-offset), each: r.sent}
	state, err := r.g.askRelease(ctx, node.Node, args, counting)
	node.Sent = counting.n.Load()
	return state, err
}

// countedReader counts what is read.
type countedReader struct {
	from io.Reader
	n    atomic.Int64
	each func(n int)
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	c.each(n)
	return n, err
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
