package local

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// sshPort is what sshd listens on, in docker's words.
const sshPort = "22/tcp"

// container is what we read of docker inspect.
type container struct {
	ID    string `json:"Id"`
	Name  string // with a slash before it
	Image string // its id
	State struct {
		Status string // created, running, paused, restarting, removing, exited or dead
	}
	Config struct {
		Labels map[string]string
	}
	NetworkSettings struct {
		Ports    map[string][]binding
		Networks map[string]struct {
			IPAMConfig *struct{ IPv4Address string }
		}
	}
	HostConfig struct {
		PortBindings map[string][]binding
	}
}

// binding is one published port.
type binding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// made is false for a container that was never started: it may lack its keys
// or its address, and has to be made again.
func (c container) made() bool {
	return c.State.Status != "created" && c.State.Status != "dead" && c.State.Status != "removing"
}

func (c container) running() bool {
	return c.State.Status == "running" || c.State.Status == "paused" || c.State.Status == "restarting"
}

// index is the node's place in its cluster, or -1 if the label is not ours.
func (c container) index() int {
	i, err := strconv.Atoi(c.Config.Labels[indexLabel])
	if err != nil || i < 0 {
		return -1
	}
	return i
}

// address is the one we asked for; it is known also while the container is off.
func (c container) address() string {
	for _, network := range c.NetworkSettings.Networks {
		if network.IPAMConfig != nil {
			return network.IPAMConfig.IPv4Address
		}
	}
	return ""
}

// connect is empty for a container that is off and reached by a published port:
// the engine chooses a new one at every start.
func (c container) connect() string {
	if len(c.HostConfig.PortBindings[sshPort]) == 0 {
		return net.JoinHostPort(c.address(), "22")
	}
	for _, b := range c.NetworkSettings.Ports[sshPort] {
		return net.JoinHostPort(b.HostIP, b.HostPort)
	}
	return ""
}

func (c container) machine() provider.Machine {
	return provider.Machine{
		Index:   c.index(),
		Name:    cluster.NodeName(c.index()),
		ID:      c.ID,
		Connect: c.connect(),
		Address: c.address(),
		// The address is what reaches it from the operator's machine and from
		// other nodes alike; the engine's name service answers containers only.
		FQDN:    c.address(),
		HostKey: c.Config.Labels[hostKeyLabel],
		Running: c.running(),
	}
}

// containers returns all nodes of the cluster by index, made or not.
func (p *Provider) containers(ctx context.Context, name string) ([]container, error) {
	all, err := p.inspect(ctx, name, "label="+indexLabel)
	if err != nil {
		return nil, err
	}
	return nodesOf(all), nil
}

// inspect returns the containers of the cluster that pass the filter.
func (p *Provider) inspect(ctx context.Context, name, filter string) ([]container, error) {
	const tries = 5
	for try := 1; ; try++ {
		ids, err := p.docker.lines(ctx, "ps", "--all", "--no-trunc", "--quiet",
			"--filter", "label="+ClusterLabel+"="+name, "--filter", filter)
		if err != nil {
			return nil, fmt.Errorf("find nodes of cluster %q: %w", name, err)
		}
		if len(ids) == 0 {
			return nil, nil
		}
		out, err := p.docker.run(ctx, nil, append([]string{"container", "inspect"}, ids...)...)
		if toolSays(err, "no such container") && try < tries {
			continue // one went away in between
		}
		if err != nil {
			return nil, fmt.Errorf("find nodes of cluster %q: %w", name, err)
		}
		var all []container
		if err := json.Unmarshal(out, &all); err != nil {
			return nil, fmt.Errorf("read the answer of docker container inspect: %w", err)
		}
		return all, nil
	}
}

// nodesOf sorts nodes by index, and leaves out what is none.
func nodesOf(all []container) []container {
	nodes := slices.DeleteFunc(all, func(c container) bool { return c.index() < 0 })
	slices.SortFunc(nodes, func(a, b container) int { return cmp.Compare(a.index(), b.index()) })
	return nodes
}
