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
	if m.found.corosync && m.found.pacemaker {
		return nil
	}
	m.changed = true
	// --no-block would hide why a unit does not start.
	_, err := m.client.Output(ctx, "systemctl", "start", "corosync.service", "pacemaker.service")
	return err
}

// onlinePause is the pause between two looks at the cluster while it forms.
const onlinePause = 100 * time.Millisecond

// waitOnline waits until the cluster is quorate and every node is online in the
// eyes of every node.
func waitOnline(ctx context.Context, f *Former, members []*member) error {
	said := ""
	for {
		missing := ""
		for _, m := range members {
			if missing = notOnline(ctx, m, members); missing != "" {
				break
			}
		}
		if missing == "" {
			return nil
		}
		if missing != said {
			f.Progress(missing)
			said = missing
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", missing, context.Cause(ctx))
		case <-time.After(onlinePause):
		}
	}
}

// notOnline says what m still misses, or "".
func notOnline(ctx context.Context, m *member, members []*member) string {
	out, err := m.client.Output(ctx, "crm_mon", "--one-shot", "--output-as=xml")
	if err != nil {
		return "Pacemaker on " + m.node.Name + " does not answer yet"
	}
	mon, err := cib.ParseMon(out)
	if err != nil {
		return err.Error()
	}
	var missing []string
	for _, other := range members {
		if mon.NodeState(other.node.Name) != cluster.Online {
			missing = append(missing, other.node.Name)
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Sprintf("%s sees %d of %d nodes online, not yet %s", m.node.Name,
			len(members)-len(missing), len(members), strings.Join(missing, ", "))
	case !mon.DC.Quorum:
		return m.node.Name + " has no quorum yet"
	}
	return ""
}
