package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// catchUp brings the spec up to what the cluster has been through under other
// operators, whose specs are newer: else a node that one of them removed would be
// made anew. It comes before anything is allocated. A cluster of which no node
// answers cannot be asked, and the spec stays. It reports whether the cluster answered.
func (g *NodeGroup) catchUp(ctx context.Context, machines []provider.Machine) (answered bool, err error) {
	if !slices.ContainsFunc(machines, func(m provider.Machine) bool { return m.Running }) {
		return false, nil
	}
	past, known, err := g.past(ctx)
	if err != nil || !known {
		return false, err
	}
	spec := g.spec.CaughtUp(past)
	if spec.Size == g.spec.Size && len(spec.Removed) == len(g.spec.Removed) {
		return true, nil
	}
	if err := g.unknownHosts(spec); err != nil {
		return true, err
	}
	if err := g.store.Update(spec); err != nil {
		return true, err
	}
	said := fmt.Sprintf("other operators have changed the cluster: it has %d nodes", spec.Size)
	for _, index := range spec.Removed[len(g.spec.Removed):] {
		said += fmt.Sprintf(", %s was removed for good", g.nameOf(index))
	}
	g.env.progress(said)
	g.spec = spec
	return true, nil
}

// past asks the cluster which indexes of nodes it has used. It is not known if the
// cluster does not answer; that nobody may ask it is an error.
func (g *NodeGroup) past(ctx context.Context) (past cluster.Past, known bool, err error) {
	_, e, err := g.connect(ctx)
	if err == nil {
		past, err = e.Past(ctx)
	}
	var refused *remote.SudoError
	if errors.As(err, &refused) {
		return cluster.Past{}, false, refused
	}
	return past, err == nil, ctx.Err()
}

// nameOf is the name of the node with that index.
func (g *NodeGroup) nameOf(index int) string {
	host, is := g.hostAt(index)
	switch {
	case is:
		return host.Name
	case g.spec.Type == cluster.AdHoc:
		return fmt.Sprintf("node %d", index)
	}
	return cluster.NodeName(index)
}

// hostAt is the host with that index, if the spec has one.
func (g *NodeGroup) hostAt(index int) (cluster.Host, bool) {
	for _, host := range g.spec.Hosts {
		if host.Index == index {
			return host, true
		}
	}
	return cluster.Host{}, false
}
