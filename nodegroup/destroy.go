package nodegroup

import (
	"context"
	"errors"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Terminate releases all nodes, with all that runs on them; the spec stays. It
// reports how many there were. Hosts that the user has are left as they were before
// they were booted; of those, one that does not answer is an error, and the others
// are done.
func (g *NodeGroup) Terminate(ctx context.Context) (released int, err error) {
	if err := g.needPacemaker("nodes terminate"); err != nil {
		return 0, err
	}
	unlock, err := g.lock("nodes terminate")
	if err != nil {
		return 0, err
	}
	defer unlock()
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return 0, err
	}
	if g.spec.Type == cluster.AdHoc {
		return g.handBack(ctx, machines)
	}
	// Also without machines: a boot that was killed may have left less than one.
	if err := g.provider.Release(ctx, g.spec); err != nil {
		return 0, err
	}
	for _, machine := range machines {
		if err := g.hostKeys().Forget(machine.Name); err != nil {
			return 0, err
		}
	}
	return len(machines), g.store.SaveCache(g.spec.Name, machinesKey, []provider.Machine{})
}

// ErrActive says that a cluster still has nodes.
var ErrActive = errors.New("it still has nodes")

// Destroy forgets the cluster. It refuses while nodes exist (ErrActive). Hosts
// that the user has go on existing: of those it refuses while they have services
// (ErrServices) and, unless accept, while one does not answer (ErrUnknown).
func (g *NodeGroup) Destroy(ctx context.Context, accept bool) error {
	unlock, err := g.lock("destroy")
	if err != nil {
		return err
	}
	defer unlock()
	if g.spec.Type == cluster.AdHoc {
		forgettable := g.forgettable
		if g.NeedsBoot() {
			forgettable = g.handedBack
		}
		if err := forgettable(ctx, accept); err != nil {
			return err
		}
		if !g.NeedsBoot() {
			if err := g.vacate(ctx, ""); err != nil {
				return err
			}
		}
		return g.store.Remove(g.spec.Name)
	}
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return err
	}
	if len(machines) > 0 {
		return cluster.WithHint(fmt.Errorf("destroy cluster %q: %w (%d)", g.spec.Name, ErrActive, len(machines)),
			"release them first: sirikata-cluster %s nodes terminate %s", g.spec.Type, g.spec.Name)
	}
	// What a boot left that was killed before it made a machine is no node, and
	// must not stay either.
	if err := g.provider.Release(ctx, g.spec); err != nil {
		return err
	}
	return g.store.Remove(g.spec.Name)
}
