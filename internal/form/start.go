package form

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// start starts what does not run. On all nodes at the same moment, so that the
// first membership is already the whole cluster.
func start(ctx context.Context, _ *Former, m *member) error {
	if m.role == cluster.Remote {
		if m.found.remote {
			return nil
		}
		m.changed = true
		_, err := m.client.Output(ctx, "systemctl", "start", "pacemaker_remote.service")
		m.found.remote = err == nil
		return err
	}
	if m.found.corosync && m.found.pacemaker {
		return nil
	}
	m.changed, m.fresh = true, true
	// --no-block would hide why a unit does not start.
	_, err := m.client.Output(ctx, "systemctl", "start", "corosync.service", "pacemaker.service")
	m.found.corosync = err == nil
	m.found.pacemaker = err == nil
	return err
}

// onlinePause is the pause between two looks at the cluster while it forms.
const onlinePause = 100 * time.Millisecond

// joinPatience is for how long a node that was just started may be missing from
// a cluster that is quorate. On a busy machine it happens that one never joins.
const joinPatience = 30 * time.Second

// waitFull waits until the cluster is quorate and every full node is online in
// the eyes of every full node.
func waitFull(ctx context.Context, f *Former, members []*member) error {
	full := withRole(members, cluster.Full)
	return waitOnline(ctx, f, full, full)
}

func withRole(members []*member, role cluster.Role) []*member {
	var found []*member
	for _, m := range members {
		if m.role == role {
			found = append(found, m)
		}
	}
	return found
}

// waitOnline waits until the cluster is quorate and every member is online in
// the eyes of all observers. Full nodes that it waits for in vain are started
// once more.
func waitOnline(ctx context.Context, f *Former, observers, members []*member) error {
	said := ""
	late := stragglers{}
	for {
		var seen sight
		for _, m := range observers {
			if seen = look(ctx, m, members); seen.misses != "" {
				break
			}
		}
		if seen.misses == "" {
			return nil
		}
		if seen.misses != said {
			f.Progress(seen.misses)
			said = seen.misses
		}
		for _, m := range late.since(time.Now(), seen) {
			if err := startAgain(ctx, f, m); err != nil {
				return &cluster.NodeError{Node: m.node.Name, Err: err}
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", seen.misses, context.Cause(ctx))
		case <-time.After(onlinePause):
		}
	}
}

// sight is what a node sees of the cluster.
type sight struct {
	misses  string // what is not as it should be; empty if all is
	quorate bool
	absent  []*member
}

func look(ctx context.Context, m *member, members []*member) sight {
	out, err := m.client.Output(ctx, "crm_mon", "--one-shot", "--output-as=xml")
	if err != nil {
		return sight{misses: "Pacemaker on " + m.node.Name + " does not answer yet"}
	}
	mon, err := cib.ParseMon(out)
	if err != nil {
		return sight{misses: err.Error()}
	}
	seen := sight{quorate: mon.DC.Quorum}
	var names []string
	for _, other := range members {
		if mon.NodeState(other.node.Name) != cluster.Online {
			seen.absent = append(seen.absent, other)
			names = append(names, other.node.Name)
		}
	}
	switch {
	case len(names) > 0:
		seen.misses = fmt.Sprintf("%s sees %d of %d nodes online, not yet %s", m.node.Name,
			len(members)-len(names), len(members), strings.Join(names, ", "))
	case !seen.quorate:
		seen.misses = m.node.Name + " has no quorum yet"
	}
	return seen
}

// stragglers remembers since when nodes are absent.
type stragglers map[*member]time.Time

// since returns the absent nodes whose time is up, and gives them as much again.
// Only nodes that this boot started: on others services may run.
func (s stragglers) since(now time.Time, seen sight) []*member {
	var late []*member
	for _, m := range seen.absent {
		first, known := s[m]
		switch {
		case !seen.quorate || !m.fresh:
		case !known:
			s[m] = now
		case now.Sub(first) >= joinPatience:
			s[m] = now
			late = append(late, m)
		}
	}
	return late
}

// againScript starts what may hang. Pacemaker's unit would wait half an hour for
// a stop that does not come to an end (pacemaker.service, TimeoutStopSec).
const againScript = `
timeout 20 systemctl stop pacemaker.service corosync.service ||
	systemctl kill --signal=KILL pacemaker.service corosync.service
systemctl start corosync.service pacemaker.service
`

func startAgain(ctx context.Context, f *Former, m *member) error {
	f.Progress(fmt.Sprintf("%s has not joined for %v: starting it once more", m.node.Name, joinPatience))
	_, err := m.client.Output(ctx, "sh", "-c", againScript)
	return err
}
