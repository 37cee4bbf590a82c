package form

import (
	"context"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/puppet"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Disband ends the part of the nodes in a cluster and leaves each as it was before
// it was formed. Services stop first, all at once, so that none moves from node to
// node. It reports how many nodes had anything of the cluster. Nodes in Off are left
// as they are. It may be called again, also after it was killed.
func (f *Former) Disband(ctx context.Context) (restored int, err error) {
	members := f.there()
	look := []step{{says: "connecting", each: connect}, {says: "looking at what is there", each: inspect}}
	if err := f.runAll(ctx, look, members); err != nil {
		return 0, err
	}
	ours := func(m *member) bool { return m.found.of(f.Spec.Name) }
	if r, err := f.roster(filter(members, ours)); err == nil {
		f.Progress("stopping services")
		if err := r.stopServices(ctx); err != nil {
			return 0, err
		}
	}
	// A remote node that goes first asks the cluster to let it go, and waits.
	full := func(m *member) bool { return m.found.role == cluster.Full }
	for _, these := range [][]*member{filter(members, full), filter(members, func(m *member) bool { return !full(m) })} {
		if err := f.giveBack(ctx, these); err != nil {
			return restored, err
		}
		restored += len(filter(these, ours))
	}
	return restored, nil
}

func filter(members []*member, keep func(*member) bool) []*member {
	return slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return !keep(m) })
}

// giveBack leaves nodes as they were, and says what had to stay.
func (f *Former) giveBack(ctx context.Context, members []*member) error {
	if len(members) == 0 {
		return nil
	}
	f.Progress("leaving hosts as they were: " + some(names(members)))
	err := f.run(ctx, step{each: restore}, members)
	for _, m := range members {
		for _, what := range m.left {
			f.Progress(m.node.Name + ": " + what)
		}
	}
	return err
}

func restore(ctx context.Context, f *Former, m *member) (err error) {
	m.left, err = puppet.Restore(ctx, m.client, f.Spec.Name)
	return err
}

// Owner is the cluster that a host is or was a node of, until it is as it was
// before; empty if it is of none. The client's commands run as root.
func Owner(ctx context.Context, client *remote.Client) (string, error) {
	return puppet.Owner(ctx, client)
}

func names(members []*member) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.node.Name)
	}
	return all
}

// stopLimit is how long services may take to stop. What does not is killed with
// the daemons.
const stopLimit = time.Minute

// stopServices stops all services of the cluster, until its settings are written
// again.
func (r roster) stopServices(ctx context.Context) error {
	if _, err := r.Output(ctx, "crm_attribute", "--type", "crm_config", "--name", cib.StopAll, "--update", "true"); err != nil {
		return err
	}
	begin := time.Now()
	return r.wait(ctx, "services have not stopped yet", func(mon cib.Mon) bool {
		running := 0
		for _, node := range mon.Nodes {
			running += mon.Running(node.Name)
		}
		return running == 0 || time.Since(begin) > stopLimit
	})
}
