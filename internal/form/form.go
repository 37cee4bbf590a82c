// Package form turns allocated machines into one quorate cluster, whatever
// provider gave them: it connects, looks at what is there, installs
// sirikata-node, configures with Puppet, starts Corosync and Pacemaker and waits
// until every node is online. It allocates nothing and runs no services.
//
// Start at [Former.Form] and its list of steps.
package form

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Former forms one cluster.
type Former struct {
	Spec  cluster.Spec
	Nodes []cluster.Node
	Pool  *remote.Pool
	// Off are the names of nodes that are not there at present. They keep their
	// place in the cluster, and nothing is done to them.
	Off []string
	// Prepare is for hosts that the user has: what is there is recorded before
	// anything is changed, for [Restore], and Puppet is installed where it is missing.
	Prepare bool
	// Force runs Puppet also where nothing changed since its last run.
	Force bool
	// Promote makes full nodes out of remote ones where too few are there.
	Promote bool
	// Fence is how nodes switch each other off; nil if they do not.
	Fence *Fence
	// Progress gets a line for each step that begins or advances; it must not
	// be nil. It is called from one goroutine at a time.
	Progress func(string)

	authKey   []byte // Corosync's, the same on all full nodes
	remoteKey []byte // Pacemaker's, between full and remote nodes
	lived     bool   // the cluster ran before
	all       []*member
	rounds    []round
	full      round // of this round
	programs  fs.FS // those that are built in, unless it is set
}

// Fence is how nodes are switched off: by one device, or by one for each of them, or
// without any by their own watchdogs ([cluster.Watchdog]).
type Fence struct {
	Devices []FenceDevice
	Secret  []byte // empty if it needs none
}

// FenceDevice is a fence agent on the nodes, with what it needs.
type FenceDevice struct {
	Node       string // that it switches off; empty for any
	Agent      string
	Parameters map[string]string
}

// member is a node on its way into the cluster.
type member struct {
	node     cluster.Node
	role     cluster.Role // in this round
	client   *remote.Client
	found    facts
	changed  bool     // anything was done to it
	fresh    bool     // its Pacemaker was started
	stale    bool     // its corosync.conf is another one than before
	looked   bool     // at what was there
	restored bool     // it is as it was before
	left     []string // what stays on it of the cluster, and why
}

// step is one thing done to all nodes, at the same time on each. Every step
// looks first and does only what is missing, so forming again after anything
// went wrong completes what was begun.
type step struct {
	says string
	each func(ctx context.Context, f *Former, m *member) error // may be nil
	then func(ctx context.Context, f *Former, all []*member) error
}

// first are the steps before anything is changed.
func first() []step {
	return []step{
		{says: "waiting for sshd", each: connect},
		{says: "looking at what is there", each: inspect, then: settle},
	}
}

// steps is the whole of forming a cluster out of nodes that have been looked at.
func (f *Former) steps() []step {
	var steps []step
	if f.Prepare {
		steps = append(steps, step{says: "preparing hosts", each: prepare})
	}
	return append(steps, []step{
		{says: "installing sirikata-node", each: install},
		{says: "configuring with Puppet", each: configure, then: reloadCorosync},
		{says: "starting Corosync and Pacemaker", each: start},
		{says: "waiting for the cluster", then: waitFull},
		{says: "completing the cluster's configuration", then: complete},
	}...)
}

// oneMachine is whether all nodes share the processors of one machine.
func (f *Former) oneMachine() bool { return f.Spec.Type == cluster.Local }

// Form makes the nodes one quorate cluster with every node online, and reports
// whether it changed anything. It may be called again at any time, also on a
// cluster that runs services, which it does not disturb. When ctx ends it says
// what it still waited for. Errors name their node (cluster.NodeError).
//
// A node that is lost on the way is waited for: the others may have fenced the
// node that it was before, and power it on again.
func (f *Former) Form(ctx context.Context) (changed bool, err error) {
	for try := 1; ; try++ {
		once, err := f.formOnce(ctx)
		changed = changed || once
		lost, ok := errors.AsType[*remote.UnreachableError](err)
		if !ok || !lost.Lost || try == tries || ctx.Err() != nil {
			return changed && err == nil, err
		}
		changed = true
		f.Progress(fmt.Sprintf("%v: once more", err))
	}
}

// tries is how often nodes may be lost on the way.
const tries = 4

func (f *Former) formOnce(ctx context.Context) (changed bool, err error) {
	members, err := f.lookAt(ctx)
	if err == nil {
		err = f.goRounds(ctx, members)
	}
	for _, m := range members {
		changed = changed || m.changed
	}
	return changed, err
}

// lookAt connects to the nodes that are there, and looks at them.
func (f *Former) lookAt(ctx context.Context) ([]*member, error) {
	f.all = f.there()
	return f.all, f.runAll(ctx, first(), f.all)
}

// there are the nodes that are not off.
func (f *Former) there() []*member {
	var members []*member
	for _, node := range f.Nodes {
		if !slices.Contains(f.Off, node.Name) {
			members = append(members, &member{node: node})
		}
	}
	return members
}

// goRounds leads the cluster through its memberships.
func (f *Former) goRounds(ctx context.Context, members []*member) error {
	for _, round := range f.rounds {
		if err := f.runAll(ctx, f.steps(), f.begin(round, members)); err != nil {
			return err
		}
	}
	return nil
}

// Role is the role that a node has after Form.
func (f *Former) Role(node string) cluster.Role { return f.full.role(node) }

// begin begins a round and returns the nodes that take part in it.
func (f *Former) begin(round round, members []*member) []*member {
	f.full = round
	var taking []*member
	for _, m := range members {
		if f.takesPart(m, round) {
			m.role = round.role(m.node.Name)
			taking = append(taking, m)
		}
	}
	return taking
}

func (f *Former) runAll(ctx context.Context, steps []step, members []*member) error {
	for _, step := range steps {
		f.Progress(step.says)
		if err := f.run(ctx, step, members); err != nil {
			return fmt.Errorf("%s: %w", step.says, err)
		}
	}
	return nil
}

func (f *Former) run(ctx context.Context, step step, members []*member) error {
	if step.each != nil {
		err := remote.Each(ctx, members, 0, func(ctx context.Context, m *member) error {
			if err := step.each(ctx, f, m); err != nil {
				return &cluster.NodeError{Node: m.node.Name, Err: err}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if step.then != nil {
		return step.then(ctx, f, members)
	}
	return nil
}

func connect(ctx context.Context, f *Former, m *member) (err error) {
	m.client, err = f.Pool.Wait(ctx, m.node.Name, nil)
	return err
}
