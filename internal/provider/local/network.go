package local

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// firstHost is the last byte of node0's address. The engine takes .1 for the
// bridge.
const firstHost = 10

// pools are where clusters get their /24 from, in order of preference. The
// second is for machines whose VPN takes the whole of 10.0.0.0/8.
var pools = [...]string{"10.213.0.0/16", "172.30.0.0/16"}

func networkName(cluster string) string { return "sirikata-" + cluster }

// network returns the subnet of the cluster's network, which it
// makes if there is none. wanted is the subnet of nodes that exist already, if
// any: their addresses stand in configuration files, and cannot change.
func (p *Provider) network(ctx context.Context, name string, wanted netip.Prefix) (netip.Prefix, error) {
	networks, err := p.networks(ctx)
	if err != nil {
		return netip.Prefix{}, err
	}
	used := hostSubnets()
	for _, n := range networks {
		if n.Name == networkName(name) && n.Labels[ClusterLabel] != name {
			return netip.Prefix{}, cluster.WithHint(fmt.Errorf("network %q exists and is not ours", n.Name),
				"choose another name for the cluster, or remove it: docker network rm %s", n.Name)
		}
		if n.Name == networkName(name) && len(n.subnets()) > 0 {
			return n.subnets()[0], nil
		}
		used = append(used, n.subnets()...)
	}
	for {
		subnet, err := chooseSubnet(name, wanted, used)
		if err != nil {
			return netip.Prefix{}, err
		}
		err = p.createNetwork(ctx, name, subnet)
		if err == nil {
			return subnet, nil
		}
		if !toolSays(err, "overlaps") || wanted.IsValid() {
			return netip.Prefix{}, fmt.Errorf("make a network for cluster %q: %w", name, err)
		}
		used = append(used, subnet) // another program was faster
	}
}

func (p *Provider) createNetwork(ctx context.Context, name string, subnet netip.Prefix) error {
	args := []string{"network", "create", "--driver", "bridge", "--subnet", subnet.String()}
	args = append(args, p.labels(name)...)
	_, err := p.docker.run(ctx, nil, append(args, networkName(name))...)
	return err
}

// dockerNetwork is what we read of docker network inspect.
type dockerNetwork struct {
	ID     string `json:"Id"`
	Name   string
	Labels map[string]string
	IPAM   struct {
		Config []struct{ Subnet string }
	}
}

func (n dockerNetwork) subnets() []netip.Prefix {
	var subnets []netip.Prefix
	for _, c := range n.IPAM.Config {
		if subnet, err := netip.ParsePrefix(c.Subnet); err == nil && subnet.Addr().Is4() {
			subnets = append(subnets, subnet)
		}
	}
	return subnets
}

// networks returns all networks of the engine.
func (p *Provider) networks(ctx context.Context) ([]dockerNetwork, error) {
	const tries = 5
	for try := 1; ; try++ {
		ids, err := p.docker.lines(ctx, "network", "ls", "--no-trunc", "--quiet")
		if err != nil {
			return nil, fmt.Errorf("list networks: %w", err)
		}
		out, err := p.docker.run(ctx, nil, append([]string{"network", "inspect"}, ids...)...)
		if toolSays(err, "no such network", "not found") && try < tries {
			continue // one went away in between
		}
		if err != nil {
			return nil, fmt.Errorf("list networks: %w", err)
		}
		var networks []dockerNetwork
		if err := json.Unmarshal(out, &networks); err != nil {
			return nil, fmt.Errorf("read the answer of docker network inspect: %w", err)
		}
		return networks, nil
	}
}

// chooseSubnet returns wanted if it is set, or else a /24 that overlaps no used
// one. Where the search begins depends on the cluster's name: a cluster that is
// made again tends to get its addresses back, and clusters that are made at the
// same time do not race for one subnet.
func chooseSubnet(name string, wanted netip.Prefix, used []netip.Prefix) (netip.Prefix, error) {
	if wanted.IsValid() {
		return wanted, nil
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	for _, pool := range pools {
		base := netip.MustParsePrefix(pool).Addr().As4()
		for i := range 256 {
			base[2] = byte(hash.Sum32() + uint32(i))
			subnet := netip.PrefixFrom(netip.AddrFrom4(base), 24)
			if !overlaps(subnet, used) {
				return subnet, nil
			}
		}
	}
	return netip.Prefix{}, cluster.WithHint(
		fmt.Errorf("make a network for cluster %q: %w in %s", name, ErrNoSubnet, strings.Join(pools[:], ", ")),
		"docker network ls and ip route show what takes them; docker network prune removes unused ones")
}

func overlaps(subnet netip.Prefix, used []netip.Prefix) bool {
	for _, u := range used {
		if subnet.Overlaps(u) {
			return true
		}
	}
	return false
}

// nodeAddress is the address of a node in its cluster's subnet.
func nodeAddress(subnet netip.Prefix, index int) netip.Addr {
	return hostAddress(subnet, firstHost+index)
}

// hostAddress is the address in a /24 with that last byte.
func hostAddress(subnet netip.Prefix, host int) netip.Addr {
	base := subnet.Masked().Addr().As4()
	base[3] += byte(host)
	return netip.AddrFrom4(base)
}
