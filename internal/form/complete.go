package form

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// complete gives the cluster what its configuration lacks, in one transaction,
// and waits for the remote nodes that are there. Fencing comes no earlier: a
// node that is slow to join the first time must not be shot for it.
func complete(ctx context.Context, f *Former, members []*member) error {
	full := withRole(members, cluster.Full)
	if len(full) == 0 {
		return errors.New("no full node is there: power on one of them, or boot")
	}
	if err := f.demote(ctx, full[0]); err != nil {
		return &cluster.NodeError{Node: full[0].node.Name, Err: err}
	}
	changed, err := apply(ctx, full[0].client, f.settings())
	if err != nil {
		return &cluster.NodeError{Node: full[0].node.Name, Err: err}
	}
	full[0].changed = full[0].changed || changed
	return f.waitOnline(ctx, full[:1], withRole(members, cluster.Remote), impatience{
		after: reconnectPatience,
		only:  func(*member) bool { return true },
		again: func(ctx context.Context, m *member) error {
			_, err := full[0].client.Output(ctx, "crm_resource", "--cleanup", "--resource", m.node.Name)
			return err
		},
	})
}

// demote makes Pacemaker forget the full nodes that are none any more.
func (f *Former) demote(ctx context.Context, full *member) error {
	r := roster{full.client}
	mon, err := r.look(ctx)
	if err != nil || len(f.voteless(mon)) == 0 {
		return err
	}
	full.changed = true
	return f.forget(ctx, r, f.voteless)
}

// reconnectPatience is for how long a remote node is waited for before the
// cluster is told to try again at once: by itself it does so later.
const reconnectPatience = 5 * time.Second

// settings are what the cluster's configuration holds besides services.
func (f *Former) settings() cib.Settings {
	s := cib.Settings{Size: len(f.Nodes), OneMachine: f.oneMachine(), Past: f.Spec.Past(), WatchdogWait: f.Spec.WatchdogWait()}
	if f.Fence != nil {
		for _, device := range f.Fence.Devices {
			if device.Node == "" || f.has(device.Node) { // not of one that is removed
				s.Fences = append(s.Fences, cib.FenceDevice(device))
			}
		}
	}
	if len(f.full) == 2 {
		s.Pair = [2]string{f.full[0], f.full[1]}
	}
	last := f.rounds[len(f.rounds)-1]
	for _, node := range f.Nodes {
		// One that becomes a full node in a later round is no remote one before. One
		// that is off, and was a full node, is none before it is back: to connect to it
		// would keep the cluster from all else.
		if last.role(node.Name) == cluster.Remote && !slices.Contains(f.Off, node.Name) {
			s.Remotes = append(s.Remotes, cib.RemoteNode{Name: node.Name, Address: node.Address})
		}
	}
	return s
}

// apply writes the settings where anything of them is missing.
func apply(ctx context.Context, node *remote.Client, settings cib.Settings) (changed bool, err error) {
	have, err := node.Output(ctx, "cibadmin", "--query", "--scope", "configuration")
	if err != nil {
		return false, err
	}
	past, err := cib.ParsePast(have)
	if err != nil {
		return false, err
	}
	// What the cluster remembers beyond our spec must not be forgotten.
	settings.Past = settings.Past.And(past)
	wanted, err := settings.Fragment()
	if err != nil {
		return false, err
	}
	lacks, err := cib.Lacks(have, wanted)
	if err != nil || !lacks {
		return false, err
	}
	_, err = node.Run(ctx, remote.Command{
		Argv:  []string{"cibadmin", "--modify", "--allow-create", "--scope", "configuration", "--xml-pipe"},
		Stdin: bytes.NewReader(wanted),
	})
	return true, err
}

// retire takes a remote node out of the cluster in the eyes of the others.
func (f *Former) retire(ctx context.Context, m *member) error {
	r, err := f.roster(f.all)
	if err != nil {
		return err
	}
	f.Progress("moving away what runs on " + m.node.Name + ", which becomes a full node")
	if err := r.part(ctx, m.node.Name); err != nil {
		return err
	}
	if err := m.halt(ctx, "pacemaker_remote.service"); err != nil {
		return err
	}
	return f.forget(ctx, r, func(mon cib.Mon) []string { return f.strangers(mon, m.node.Name) })
}
