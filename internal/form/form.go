// Package form turns allocated machines into one quorate cluster, whatever
// provider gave them: it connects, looks at what is there, installs
// sirikata-node, configures with Puppet, starts Corosync and Pacemaker and waits
// until every node is online. It allocates nothing and runs no services.
//
// Start at [Former.Form] and its list of steps.
package form

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Former forms one cluster.
type Former struct {
	Spec  cluster.Spec
	Nodes []cluster.Node
	Pool  *remote.Pool
	// Force runs Puppet also where nothing changed since its last run.
	Force bool
	// Progress gets a line for each step that begins or advances; it must not
	// be nil. It is called from one goroutine at a time.
	Progress func(string)

	authKey  []byte // Corosync's, the same on all nodes
	lived    bool   // the cluster ran before
	programs fs.FS  // those that are built in, unless it is set
}

// member is a node on its way into the cluster.
type member struct {
	node    cluster.Node
	client  *remote.Client
	found   facts
	changed bool // anything was done to it
}

// step is one thing done to all nodes, at the same time on each. Every step
// looks first and does only what is missing, so forming again after anything
// went wrong completes what was begun.
type step struct {
	says string
	each func(ctx context.Context, f *Former, m *member) error // may be nil
	then func(ctx context.Context, f *Former, all []*member) error
}

// steps is the whole of forming a cluster.
func steps() []step {
	return []step{
		{says: "waiting for sshd", each: connect},
		{says: "looking at what is there", each: inspect, then: settle},
		{says: "installing sirikata-node", each: install},
		{says: "configuring with Puppet", each: configure, then: reloadCorosync},
		{says: "starting Corosync and Pacemaker", each: start},
		{says: "waiting for the cluster", then: waitOnline},
	}
}

// Form makes the nodes one quorate cluster with every node online, and reports
// whether it changed anything. It may be called again at any time, also on a
// cluster that runs services, which it does not disturb. When ctx ends it says
// what it still waited for. Errors name their node (cluster.NodeError).
func (f *Former) Form(ctx context.Context) (changed bool, err error) {
	members := make([]*member, 0, len(f.Nodes))
	for _, node := range f.Nodes {
		members = append(members, &member{node: node})
	}
	for _, step := range steps() {
		f.Progress(step.says)
		if err := f.run(ctx, step, members); err != nil {
			return false, fmt.Errorf("%s: %w", step.says, err)
		}
	}
	for _, m := range members {
		changed = changed || m.changed
	}
	return changed, nil
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
