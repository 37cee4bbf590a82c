package form

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// roster is the cluster's own list of its nodes, as a full node keeps it.
type roster struct{ *remote.Client }

func (r roster) ask(ctx context.Context) ([]byte, error) {
	return r.Output(ctx, cib.AskMon()...)
}

func (r roster) look(ctx context.Context) (cib.Mon, error) {
	out, err := r.ask(ctx)
	if err != nil {
		return cib.Mon{}, err
	}
	return cib.ParseMon(out)
}

// wait looks until done says so.
func (r roster) wait(ctx context.Context, what string, done func(cib.Mon) bool) error {
	for {
		mon, err := r.look(ctx)
		if err != nil {
			return err
		}
		if done(mon) {
			return nil
		}
		if err := pause(ctx, what); err != nil {
			return err
		}
	}
}

// pause is between two looks at the cluster. When ctx ends it says what was waited
// for.
func pause(ctx context.Context, what string) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	case <-time.After(onlinePause):
		return nil
	}
}

// noticed waits until the cluster itself knows that a node is off, by fencing if it
// has that. To reload Corosync without a node that the others still count on, and
// to forget one that is being fenced, would begin what has to be done again when
// the fencing ends. After the limit it goes on all the same: one whose fencing fails
// must be removable, too.
func (r roster) noticed(ctx context.Context, node string, limit time.Duration) error {
	begin := time.Now()
	return r.wait(ctx, node+" is not known to be off yet", func(mon cib.Mon) bool {
		return mon.NodeState(node) == cluster.Offline || time.Since(begin) > limit
	})
}

// part takes a node out of work: what runs on it moves elsewhere, and the
// connection to it ends, if it is a remote one.
func (r roster) part(ctx context.Context, node string) error {
	if err := r.drain(ctx, node); err != nil {
		return err
	}
	return r.disconnect(ctx, node)
}

// drain moves what runs on a node elsewhere; what may run nowhere else stops. A
// node that is not online has nothing to be moved.
func (r roster) drain(ctx context.Context, node string) error {
	mon, err := r.look(ctx)
	if err != nil || mon.NodeState(node) != cluster.Online {
		return err
	}
	if _, err := r.Output(ctx, "crm_attribute", "--type", "nodes", "--node", node, "--name", "standby", "--update", "on"); err != nil {
		return err
	}
	return r.wait(ctx, "services on "+node+" have not moved yet", func(mon cib.Mon) bool {
		return mon.NodeState(node) != cluster.Standby && mon.NodeState(node) != cluster.Online || mon.Running(node) == 0
	})
}

// disconnect ends the connection to a remote node for good.
func (r roster) disconnect(ctx context.Context, node string) error {
	if err := r.remove(ctx, cib.RemoteXPath(node)); err != nil {
		return err
	}
	return r.wait(ctx, "the connection to "+node+" has not ended yet", func(mon cib.Mon) bool {
		return !mon.Connected(node)
	})
}

// remove removes what an XPath selects from the configuration; nothing may be there.
func (r roster) remove(ctx context.Context, xpath string) error {
	_, err := r.Output(ctx, "cibadmin", "--delete-all", "--force", "--xpath", xpath)
	if remote.ExitCode(err) == cib.ExitNoSuch {
		return nil
	}
	return err
}

// forget removes nodes that do not run from the list: those that unwanted finds
// there. It returns when all have stayed away: one that left comes up again, even
// much later, from the memory of others, for example when they hear the end of a
// fencing. So each full node is told.
func (f *Former) forget(ctx context.Context, r roster, unwanted func(cib.Mon) []string) error {
	for away := time.Duration(0); away < forgotten; away += onlinePause {
		mon, err := r.look(ctx)
		if err != nil {
			return err
		}
		for _, node := range unwanted(mon) {
			away = 0
			if mon.NodeState(node) == cluster.Online {
				continue
			}
			if err := f.forgetEverywhere(ctx, node); err != nil {
				return err
			}
		}
		if err := pause(ctx, "the cluster still knows nodes that it should forget"); err != nil {
			return err
		}
	}
	return nil
}

// strangers are the nodes that the cluster knows and should not: those that are none
// of it, and those given.
func (f *Former) strangers(mon cib.Mon, nodes ...string) []string {
	var found []string
	for _, known := range mon.Nodes {
		if !f.has(known.Name) || slices.Contains(nodes, known.Name) {
			found = append(found, known.Name)
		}
	}
	return found
}

// voteless are the nodes that Pacemaker takes for full ones and that are none any
// more: their votes were given to others while they were away. A node that it
// knows as a full one never becomes a remote one by a connection of that name.
func (f *Former) voteless(mon cib.Mon) []string {
	var found []string
	for _, known := range mon.Nodes {
		role, _ := mon.NodeRole(known.Name)
		if role == cluster.Full && f.has(known.Name) && f.full.role(known.Name) == cluster.Remote {
			found = append(found, known.Name)
		}
	}
	return found
}

func (f *Former) has(node string) bool {
	return slices.ContainsFunc(f.Nodes, func(n cluster.Node) bool { return n.Name == node })
}

func (f *Former) forgetEverywhere(ctx context.Context, node string) error {
	for _, m := range f.all {
		if m.node.Name == node || !m.found.corosync || !m.found.pacemaker {
			continue
		}
		if _, err := m.client.Output(ctx, "crm_node", "--force", "--remove", node); err != nil {
			return &cluster.NodeError{Node: m.node.Name, Err: err}
		}
	}
	return nil
}

// forgotten is for how long a removed node must stay away to be believed gone.
const forgotten = 1500 * time.Millisecond
