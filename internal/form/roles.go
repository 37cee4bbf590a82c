package form

import (
	"context"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// round is a membership of the cluster: the names of its full nodes. A running
// cluster gets full nodes one at a time, for a reload raises the expected votes
// at once: with several that do not vote yet it could lose quorum on the way.
type round []string

func (r round) role(node string) cluster.Role {
	if slices.Contains(r, node) {
		return cluster.Full
	}
	return cluster.Remote
}

// planRounds returns the memberships that lead from what the cluster is to what
// it should be, the last of which stays.
func (f *Former) planRounds(members []*member) []round {
	now := f.listed(members)
	if len(now) == 0 {
		return []round{f.firstFull()}
	}
	rounds := []round{now}
	for _, m := range members {
		name := m.node.Name
		last := rounds[len(rounds)-1]
		if slices.Contains(last, name) {
			continue
		}
		next := slices.Clone(last)
		switch {
		case m.found.role == cluster.Remote && (!f.Promote || f.present(last) >= f.Spec.WantedFull()):
			continue
		case m.found.role != cluster.Remote && len(last) >= f.Spec.WantedFull():
			continue
		case len(last) >= f.Spec.WantedFull():
			// It takes the place of one that is lost.
			lost := slices.IndexFunc(next, func(node string) bool { return slices.Contains(f.Off, node) })
			next = slices.Delete(next, lost, lost+1)
		}
		rounds = append(rounds, append(next, name))
	}
	running := slices.ContainsFunc(members, func(m *member) bool { return m.found.corosync })
	if !running {
		return rounds[len(rounds)-1:]
	}
	return rounds[min(1, len(rounds)-1):]
}

// present is how many of the nodes are not off.
func (f *Former) present(nodes round) int {
	n := 0
	for _, node := range nodes {
		if !slices.Contains(f.Off, node) {
			n++
		}
	}
	return n
}

// firstFull are the full nodes of a new cluster.
func (f *Former) firstFull() round {
	var full round
	for _, node := range f.Nodes[:min(f.Spec.WantedFull(), len(f.Nodes))] {
		full = append(full, node.Name)
	}
	return full
}

// listed are the full nodes as the cluster has them, of those that still exist:
// the nodelist that most nodes agree on, of nodes on which Corosync runs if
// there are any. A node that was away may have an old one.
func (f *Former) listed(members []*member) round {
	for _, running := range []bool{true, false} {
		votes := map[string]int{}
		var best []string
		for _, m := range members {
			if m.found.corosync != running || len(m.found.full) == 0 || !f.owns(m.found) {
				continue
			}
			list := strings.Join(m.found.full, " ")
			votes[list]++
			if votes[list] > votes[strings.Join(best, " ")] {
				best = m.found.full
			}
		}
		var exist round
		for _, node := range f.Nodes {
			if slices.Contains(best, node.Name) {
				exist = append(exist, node.Name)
			}
		}
		if len(exist) > 0 {
			return exist
		}
	}
	return nil
}

// takesPart reports whether anything is done to the node in this round: not to
// one that becomes a full node in a later one, unless it is in the cluster as a
// remote node until then.
func (f *Former) takesPart(m *member, now round) bool {
	last := f.rounds[len(f.rounds)-1]
	return now.role(m.node.Name) == last.role(m.node.Name) || m.found.role == cluster.Remote
}

// leaveRole takes a node out of the role that it had. What ran on it moves away
// or stops. A node that was just powered on may be about to start what did not
// run when it was looked at.
func leaveRole(ctx context.Context, f *Former, m *member) error {
	switch {
	case m.role == cluster.Remote && (m.found.role == cluster.Full || m.found.corosync || m.found.pacemaker):
		m.found.corosync, m.found.pacemaker = false, false
		return m.halt(ctx, "pacemaker.service", "corosync.service")
	case m.role == cluster.Full && m.found.remote:
		m.found.remote = false
		return f.retire(ctx, m)
	}
	return nil
}

func (m *member) halt(ctx context.Context, units ...string) error {
	m.changed = true
	_, err := m.client.Output(ctx, append([]string{"systemctl", "stop"}, units...)...)
	return err
}
