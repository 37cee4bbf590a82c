package nodegroup

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/address"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// locate finds out which of the user's hosts answer, and by which address the
// others reach each. With all, one that does not answer is an error. Machines that
// a provider made are known.
func (g *NodeGroup) locate(ctx context.Context, machines []provider.Machine, all bool) ([]provider.Machine, error) {
	return g.locateBut(ctx, machines, all, "")
}

// locateBut is locate where one host is about to be removed: it is left out if
// nothing is known of it.
func (g *NodeGroup) locateBut(ctx context.Context, machines []provider.Machine, all bool, leaving string) ([]provider.Machine, error) {
	if g.spec.Type != cluster.AdHoc {
		return machines, nil
	}
	if err := g.openPool(machines); err != nil {
		return nil, err
	}
	hosts := make([]located, len(machines))
	var each []*located
	for i, machine := range machines {
		hosts[i].Machine = machine
		each = append(each, &hosts[i])
	}
	err := remote.Each(ctx, each, 0, func(ctx context.Context, host *located) error {
		if host.err = g.ask(ctx, host); host.err != nil {
			return &cluster.NodeError{Node: host.Name, Err: host.err}
		}
		return nil
	})
	if err != nil && all {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	found, err := g.place(hosts, leaving)
	if err != nil {
		return nil, err
	}
	return found, g.rememberAddresses(found)
}

// located is a host and what it says of itself, unless it does not answer.
type located struct {
	provider.Machine
	facts address.Facts
	err   error
}

func (g *NodeGroup) ask(ctx context.Context, host *located) error {
	ctx, cancel := context.WithTimeout(ctx, goneTimeout)
	defer cancel()
	client, err := g.pool.Client(ctx, host.Name)
	if err != nil {
		return err
	}
	out, err := client.Output(ctx, address.Argv()...)
	host.facts = address.Parse(out)
	return err
}

// place gives each host its address. That of one that does not answer is known to
// those that were configured with it.
func (g *NodeGroup) place(hosts []located, leaving string) ([]provider.Machine, error) {
	var machines []provider.Machine
	var nodes []address.Node
	for _, host := range hosts {
		chosen, err := g.choose(host, hosts)
		if err != nil && host.err != nil && host.Name == leaving {
			continue
		}
		if err != nil {
			return nil, &cluster.NodeError{Node: host.Name, Err: err}
		}
		host.Running = host.err == nil
		if !host.Running {
			g.env.progress(fmt.Sprintf("%s does not answer, and is left as it is: %v", host.Name, host.err))
		}
		host.Address = chosen.String()
		nodes = append(nodes, address.Node{Name: host.Name, Address: chosen})
		machines = append(machines, host.Machine)
	}
	return machines, address.Check(nodes)
}

func (g *NodeGroup) choose(host located, others []located) (netip.Addr, error) {
	of, _ := g.spec.Host(host.Name)
	if host.err == nil {
		return host.facts.Choose(host.Name, of.ClusterAddress)
	}
	for _, other := range others {
		if known, ok := other.facts.Known[host.Name]; ok {
			return known, nil
		}
	}
	return netip.Addr{}, cluster.WithHint(fmt.Errorf("it never was in the cluster, and does not answer: %w", host.err),
		"bring it back, or remove it: sirikata-cluster remove node %s %s", g.spec.Name, host.Name)
}

// rememberAddresses keeps the addresses that were found. The provider does not
// know them.
func (g *NodeGroup) rememberAddresses(machines []provider.Machine) error {
	machines = slices.Clone(machines)
	for i := range machines {
		machines[i].Running = true // as the provider says of all
	}
	return g.store.SaveCache(g.spec.Name, machinesKey, machines)
}

// withAddresses gives hosts the addresses that were found when they were located
// last.
func (g *NodeGroup) withAddresses(machines []provider.Machine) error {
	var before []provider.Machine
	if g.spec.Type != cluster.AdHoc || g.spec.Engine == cluster.Direct {
		return nil
	}
	if _, err := g.store.LoadCache(g.spec.Name, machinesKey, &before); err != nil {
		return err
	}
	for i := range machines {
		for _, known := range before {
			if known.Name == machines[i].Name && known.ID == machines[i].ID {
				machines[i].Address = known.Address
			}
		}
	}
	return nil
}

// unknownHosts refuses to go on with a spec that lacks hosts which another operator
// added: to the cluster they would be strangers.
func (g *NodeGroup) unknownHosts(spec cluster.Spec) error {
	lacking := spec.Size - len(spec.Hosts)
	if spec.Type != cluster.AdHoc || lacking <= 0 {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("cluster %q has %d more hosts, which another operator added and this spec does not know", g.spec.Name, lacking),
		"get their spec: the file clusters/%s/spec.json in their SIRIKATA_CLUSTER_HOME (~/.sirikata-cluster)", g.spec.Name)
}
