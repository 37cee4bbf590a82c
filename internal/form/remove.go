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
	members, err := f.lookAt(ctx)
	if err != nil {
		return err
	}
	var leaving *member
	var staying []*member
	for _, m := range members {
		if m.node.Name == node {
			leaving = m
		} else {
			staying = append(staying, m)
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
	if err := r.unfence(ctx, node); err != nil || leaving == nil {
		return err
	}
	if leaving.found.remote {
		return leaving.halt(ctx, "pacemaker_remote.service")
	}
	leaving.found.corosync, leaving.found.pacemaker = false, false
	return leaving.halt(ctx, "pacemaker.service", "corosync.service")
}

// fencingLimit is how long fencing may take: it is a second, or it fails.
const fencingLimit = 10 * time.Second

// noticeLimit is how long the cluster may take to know that a node is off.
func (f *Former) noticeLimit() time.Duration {
	return max(f.Spec.TokenProfile.Detection(), cib.RemoteDetection) + fencingLimit
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
