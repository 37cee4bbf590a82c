package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// The nodes are fenced through a power service of their own: one more container
// on their network, which alone has the engine's socket, so that a node has power
// over the nodes of its cluster and over nothing else. What runs in it is
// sirikata-node (package fence). It has no file but those of one volume.
const (
	roleLabel = "org.sirikata.role" // on what is no node
	powerRole = "power"
	// powerLabel tells whether a power service is the one that we would make.
	powerLabel = "org.sirikata.power"

	// powerHost is the last byte of its address, below those of the nodes.
	powerHost = 2
	powerPort = "5410"

	powerDir     = "/sirikata"
	powerProgram = "sirikata-node"
	powerSecret  = "secret"
	powerEngine  = "/run/engine.sock"
	secretSize   = 64 // characters
)

// fencing is one run of [Provider.FenceDevice].
type fencing struct {
	*Provider
	name    string     // of the cluster
	image   string     // of the nodes, for it is there: nothing in it is used
	network string     // id of the cluster's network
	address netip.Addr // of the power service
	socket  string     // the engine's, where the engine runs
	program []byte     // sirikata-node
}

// FenceDevice implements [provider.Fencer]. It can be killed at any moment: the
// secret is always in a container that the next call finds.
func (p *Provider) FenceDevice(
	ctx context.Context, spec cluster.Spec, program func(machine string) ([]byte, error),
) (provider.FenceDevice, error) {
	f, err := p.prepareFencing(ctx, spec.Name, program)
	if err != nil {
		return provider.FenceDevice{}, fmt.Errorf("make the power service of cluster %q: %w", spec.Name, err)
	}
	secret, err := f.ensure(ctx)
	if err != nil {
		return provider.FenceDevice{}, fmt.Errorf("make the power service of cluster %q: %w", spec.Name, err)
	}
	return provider.FenceDevice{
		Agent: cluster.FenceAgent,
		Parameters: map[string]string{
			"address":    net.JoinHostPort(f.address.String(), powerPort),
			"power_wait": strconv.Itoa(offSeconds(spec.TokenProfile)),
		},
		Secret: secret,
	}, nil
}

// offSeconds is for how long a node that was fenced stays off: until the others have
// taken it out of their membership. A container is back within a second. If it joins
// before they know that it was fenced, it hears that it was, and Pacemaker there ends
// for good ("We were allegedly just fenced").
func offSeconds(profile cluster.TokenProfile) int {
	const margin = time.Second
	return int((profile.Detection() + margin + time.Second - 1) / time.Second)
}

// prepareFencing finds out what the power service is to be like.
func (p *Provider) prepareFencing(
	ctx context.Context, name string, program func(machine string) ([]byte, error),
) (*fencing, error) {
	nodes, err := p.containers(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, errors.New("the cluster has no nodes yet")
	}
	f := &fencing{Provider: p, name: name, image: nodes[0].Image}
	subnet, err := p.network(ctx, name, subnetOf(nodes))
	if err != nil {
		return nil, err
	}
	f.address = hostAddress(subnet, powerHost)
	if f.network, err = p.docker.word(ctx, "network", "inspect", "--format", "{{.Id}}", networkName(name)); err != nil {
		return nil, fmt.Errorf("look at the network: %w", err)
	}
	if f.socket, err = p.engineSocket(ctx, runtime.GOOS); err != nil {
		return nil, err
	}
	machine, err := p.docker.word(ctx, "info", "--format", "{{.Architecture}}") // as uname -m has it
	if err != nil {
		return nil, fmt.Errorf("ask the engine for its kind of machine: %w", err)
	}
	f.program, err = program(machine)
	return f, err
}

// engineSocket is the path of the engine's socket on the machine where the engine
// runs. That is the path by which docker reaches it, but where the engine has a
// virtual machine of its own or is reached over the network: there it is the one
// of every engine.
func (p *Provider) engineSocket(ctx context.Context, system string) (string, error) {
	const usual = "/var/run/docker.sock"
	endpoint, err := p.docker.word(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	if err != nil {
		return "", fmt.Errorf("ask where the engine's socket is: %w", err)
	}
	path, isUnix := strings.CutPrefix(endpoint, "unix://")
	if !isUnix || system != "linux" || strings.Contains(path, "/.docker/desktop/") {
		return usual, nil
	}
	return path, nil
}
