package form

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/puppet"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Disband ends the part of hosts in a cluster and leaves each as it was before it
// was formed. Services stop first, all at once, so that none moves from node to
// node. It reports how many hosts had anything of the cluster; those that have
// nothing, and those in Off, are left as they are. An error of one host does not
// keep the others from being done. It may be called again, also after it was killed.
func (f *Former) Disband(ctx context.Context) (restored int, err error) {
	f.Progress("looking at what is there")
	members, lookErr := f.look(ctx)
	ours := filter(members, func(m *member) bool { return f.owns(m.found) })
	for _, m := range members {
		if !f.owns(m.found) {
			f.Progress(m.node.Name + " has nothing of the cluster")
		}
	}
	if err := f.stopServices(ctx, ours); err != nil {
		return 0, errors.Join(err, lookErr)
	}
	errs := []error{lookErr, f.run(ctx, step{each: calm}, ours)}
	// A remote node that goes first asks the cluster to let it go, and waits.
	full := func(m *member) bool { return m.found.role == cluster.Full }
	for _, these := range [][]*member{filter(ours, full), filter(ours, func(m *member) bool { return !full(m) })} {
		done, err := f.giveBack(ctx, these)
		restored += done
		errs = append(errs, err)
	}
	return restored, errors.Join(errs...)
}

// seek connects to a node that answered a moment ago, without waiting for it, and
// looks at it.
func seek(ctx context.Context, f *Former, m *member) (err error) {
	if m.client, err = f.Pool.Client(ctx, m.node.Name); err != nil {
		return err
	}
	err = inspect(ctx, f, m)
	m.looked = err == nil
	return err
}

// look seeks the nodes that are there. It returns those where that went well, and
// the errors of the others.
func (f *Former) look(ctx context.Context) ([]*member, error) {
	members := f.there()
	err := f.run(ctx, step{each: seek}, members)
	return filter(members, func(m *member) bool { return m.looked }), err
}

func filter(members []*member, keep func(*member) bool) []*member {
	return slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return !keep(m) })
}

// giveBack leaves nodes as they were, says what had to stay, and reports how many
// are done.
func (f *Former) giveBack(ctx context.Context, members []*member) (done int, err error) {
	if len(members) == 0 {
		return 0, nil
	}
	f.Progress("leaving hosts as they were: " + some(names(members)))
	err = f.run(ctx, step{each: restore}, members)
	for _, m := range members {
		if m.restored {
			done++
		}
		for _, what := range m.left {
			f.Progress(m.node.Name + ": " + what)
		}
	}
	return done, err
}

func restore(ctx context.Context, f *Former, m *member) (err error) {
	m.left, err = puppet.Restore(ctx, m.client, f.Spec.Name)
	m.restored = err == nil
	return err
}

func names(members []*member) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.node.Name)
	}
	return all
}

// Vet returns an error unless each of the hosts, none of which is in the cluster yet,
// can become a node of it. It changes nothing on them.
func (f *Former) Vet(ctx context.Context) error {
	members, err := f.look(ctx)
	return errors.Join(err, refuseForeign(f, members), f.run(ctx, step{each: haveWatchdog}, members))
}

// Owner is the cluster that a host is or was a node of, until it is as it was
// before; empty if it is of none. Without root it knows only of one that is
// configured.
func Owner(ctx context.Context, client *remote.Client) (string, error) {
	out, err := client.Output(ctx, "sh", "-c", inspectScript)
	return parseFacts(out).owner, err
}

// stopLimit is how long services may take to stop. What does not is killed with
// the daemons.
const stopLimit = time.Minute

// stopServices stops all services of the cluster that the nodes are, until its
// settings are written again, and fencing: a node whose service does not stop would
// be switched off, perhaps while it is being given back.
func (f *Former) stopServices(ctx context.Context, members []*member) error {
	r, err := f.roster(members)
	if err != nil {
		return nil // none of them runs
	}
	f.Progress("stopping services")
	options := [][2]string{{cib.StopAll, "true"}, {cib.Fencing, "false"}}
	if f.Spec.WatchdogWait() > 0 {
		options = append(options, [2]string{cib.WatchdogWait, "0"})
	}
	for _, option := range options {
		if _, err := r.Output(ctx, "crm_attribute", "--type", "crm_config", "--name", option[0], "--update", option[1]); err != nil {
			return err
		}
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
