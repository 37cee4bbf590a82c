package form

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/remote"
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
	return f.waitOnline(ctx, full, full, impatience{
		after: joinPatience,
		// On others services may run.
		only:  func(m *member) bool { return m.fresh },
		again: func(ctx context.Context, m *member) error { return startAgain(ctx, f, m) },
	})
}

// impatience is what is done about nodes that are waited for in vain.
type impatience struct {
	after time.Duration // each time
	only  func(*member) bool
	again func(context.Context, *member) error
}

func withRole(members []*member, role cluster.Role) []*member {
	return filter(members, func(m *member) bool { return m.role == role })
}

// waitOnline waits until the cluster is quorate and every member is online in
// the eyes of all observers.
func (f *Former) waitOnline(ctx context.Context, observers, members []*member, impatience impatience) error {
	said := ""
	late := stragglers{seen: map[*member]time.Time{}, impatience: impatience}
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
		if seen.lost != nil {
			return seen.lost
		}
		if seen.misses != said {
			f.Progress(seen.misses)
			said = seen.misses
		}
		for _, m := range late.since(time.Now(), seen) {
			if err := impatience.again(ctx, m); err != nil {
				return &cluster.NodeError{Node: m.node.Name, Err: err}
			}
		}
		if err := pause(ctx, seen.misses); err != nil {
			return err
		}
	}
}

// sight is what a node sees of the cluster.
type sight struct {
	misses  string // what is not as it should be; empty if all is
	lost    error  // why the node cannot see any more
	quorate bool
	absent  []*member
}

func look(ctx context.Context, m *member, members []*member) sight {
	out, err := roster{m.client}.ask(ctx)
	if err != nil {
		seen := sight{misses: "Pacemaker on " + m.node.Name + " does not answer yet"}
		if errors.Is(err, remote.ErrUnreachable) {
			seen.lost = &cluster.NodeError{Node: m.node.Name, Err: err}
		}
		return seen
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
			len(members)-len(names), len(members), some(names))
	case !seen.quorate:
		seen.misses = m.node.Name + " has no quorum yet"
	}
	return seen
}

// some names a few, and says how many more there are.
func some(names []string) string {
	const few = 5
	if len(names) <= few+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// stragglers remembers since when nodes are absent.
type stragglers struct {
	impatience
	seen map[*member]time.Time
}

// since returns the absent nodes whose time is up, and gives them as much again.
func (s stragglers) since(now time.Time, seen sight) []*member {
	var late []*member
	for _, m := range seen.absent {
		first, known := s.seen[m]
		switch {
		case !seen.quorate || !s.only(m):
		case !known:
			s.seen[m] = now
		case now.Sub(first) >= s.after:
			s.seen[m] = now
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
