// Package adhoc is the provider of hosts that the user already has. It makes and
// releases nothing, contacts nobody and keeps no state: the spec says it all.
// Whether the hosts answer is found out by whoever connects to them.
//
// Start at [New].
package adhoc

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Provider gives the hosts of specs.
type Provider struct{}

var _ provider.Provider = (*Provider)(nil)

// New returns the provider.
func New() *Provider { return &Provider{} }

// Allocate returns the hosts, as [Provider.Find] does. Nobody is let in: the
// user's own keys are.
func (*Provider) Allocate(ctx context.Context, spec cluster.Spec, _ string, _ func(string)) ([]provider.Machine, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return machines(spec), nil
}

// Find returns the hosts. Whether they run is not known; they are said to.
func (*Provider) Find(_ context.Context, spec cluster.Spec) ([]provider.Machine, error) {
	return machines(spec), nil
}

// Release does nothing: the hosts are the user's.
func (*Provider) Release(context.Context, cluster.Spec) error { return nil }

// ReleaseMachine does nothing: the host is the user's.
func (*Provider) ReleaseMachine(context.Context, cluster.Spec, provider.Machine) error { return nil }

// Authorize is not supported: whom a host lets in is for its owner to say.
func (*Provider) Authorize(_ context.Context, machine provider.Machine, _ string) error {
	return fmt.Errorf("authorize a key on %s: %w", machine.Name, provider.ErrNotSupported)
}

func machines(spec cluster.Spec) []provider.Machine {
	var all []provider.Machine
	for _, host := range spec.Hosts {
		if slices.Contains(spec.Removed, host.Index) {
			continue
		}
		all = append(all, provider.Machine{
			Index: host.Index, Name: host.Name, ID: id(host), Connect: connect(host),
			Address: address(host), FQDN: host.DNSName, Running: true,
		})
	}
	return all
}

// id tells one host from another; a host that takes over a name is another one.
func id(host cluster.Host) string {
	if host.Transport == cluster.OnMachine {
		return "this machine"
	}
	return connect(host)
}

// connect is what a person calls the host by: without a port where that is left
// to ~/.ssh/config.
func connect(host cluster.Host) string {
	switch {
	case host.Transport == cluster.OnMachine, host.Port == 0:
		return host.DNSName
	default:
		return net.JoinHostPort(host.DNSName, strconv.Itoa(host.Port))
	}
}

// address is the one inside the cluster, as far as the spec knows it.
func address(host cluster.Host) string {
	if _, err := netip.ParseAddr(host.DNSName); err == nil {
		return cmp.Or(host.ClusterAddress, host.DNSName)
	}
	return host.ClusterAddress
}
