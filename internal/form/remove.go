package form

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// Remove takes a node out of the cluster, which goes on meanwhile: what runs on
// the node moves elsewhere first. It leaves nothing of it with the others, and
// may be called again. A node that is off, or is no more, is in Off. The node
// itself is stopped, not cleaned: whoever calls this releases it.
func (f *Former) Remove(ctx context.Context, node string) error {
	off := f.Off
	f.Off = append(slices.Clone(off), node)
	staying, err := f.lookAt(ctx)
	if err != nil {
		return err
	}
	var leaving *member
	if !slices.Contains(off, node) {
		if leaving, err = f.lookAtLeaving(ctx, node); err != nil {
			return err
		}
	}
	f.Nodes = slices.DeleteFunc(slices.Clone(f.Nodes), func(n cluster.Node) bool { return n.Name == node })
	if err := f.take(ctx, node, leaving, staying); err != nil {
		return &cluster.NodeError{Node: node, Err: err}
	}
	f.rounds = f.planRounds(staying)
	if err := f.goRounds(ctx, staying); err != nil {
		return err
	}
	r, err := f.roster(staying)
	if err != nil {
		return err
	}
	return f.forget(ctx, r, func(mon cib.Mon) []string { return f.strangers(mon) })
}

// lookAtLeaving looks at the node that is to be removed. It is nil if that is no node
// of the cluster after all: nothing is done to it then. One that is not ours must be
// removable, whatever it is.
func (f *Former) lookAtLeaving(ctx context.Context, node string) (*member, error) {
	at := slices.IndexFunc(f.Nodes, func(n cluster.Node) bool { return n.Name == node })
	if at < 0 {
		return nil, nil
	}
	m := &member{node: f.Nodes[at]}
	if err := f.run(ctx, step{each: seek}, []*member{m}); err != nil {
		return nil, err
	}
	if f.foreign(m.found) != nil {
		f.Progress(node + " is no node of this cluster, and is left as it is")
		return nil, nil
	}
	f.all = append(f.all, m)
	return m, nil
}

// take stops a node's part in a cluster. leaving is nil for one that is off.
func (f *Former) take(ctx context.Context, node string, leaving *member, staying []*member) error {
	r, err := f.roster(staying)
	if err != nil {
		return err
	}
	if leaving != nil && leaving.found.corosync {
		if err := keepsQuorum(staying, leaving); err != nil {
			return err
		}
	}
	if leaving == nil {
		f.Progress("waiting until the cluster knows that " + node + " is off")
		if err := r.noticed(ctx, node, f.noticeLimit()); err != nil {
			return err
		}
	}
	f.Progress("moving away what runs on " + node)
	if err := r.part(ctx, node); err != nil {
		return err
	}
	if err := r.remove(ctx, cib.FenceXPath(node)); err != nil || leaving == nil {
		return err
	}
	if leaving.found.remote {
		return leaving.halt(ctx, "pacemaker_remote.service")
	}
	leaving.found.corosync, leaving.found.pacemaker = false, false
	return leaving.halt(ctx, "pacemaker.service", "corosync.service")
}

// How long fencing may take. With our own device it is a second, or it fails; the
// user's may have to log in somewhere, and Pacemaker waits for it as long
// (stonith-timeout).
const (
	fencingLimit     = 10 * time.Second
	userFencingLimit = time.Minute
)

// noticeLimit is how long the cluster may take to know that a node is off.
func (f *Former) noticeLimit() time.Duration {
	limit := fencingLimit
	if f.Fence != nil && f.Prepare {
		limit = userFencingLimit
	}
	return max(f.Spec.TokenProfile.Detection(), cib.RemoteDetection) + f.Spec.WatchdogWait() + limit
}

// roster returns the list of nodes as a full node keeps it.
func (f *Former) roster(members []*member) (roster, error) {
	for _, m := range members {
		if m.found.corosync && m.found.pacemaker {
			return roster{m.client}, nil
		}
	}
	return roster{}, cluster.WithHint(fmt.Errorf("no full node of cluster %q runs", f.Spec.Name), "boot starts what is off")
}

// keepsQuorum refuses to stop a full node without which the others would stop
// their services until Corosync knows that it is gone for good. Of two nodes,
// one goes on by itself (votequorum(5), two_node).
func keepsQuorum(staying []*member, leaving *member) error {
	listed := len(leaving.found.full)
	there := 0
	for _, m := range staying {
		if m.found.corosync {
			there++
		}
	}
	if listed <= 2 || there > listed/2 {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("without it the cluster has no quorum: %d of %d full nodes would be left", there, listed),
		"first bring back the nodes that are off, or remove them")
}
