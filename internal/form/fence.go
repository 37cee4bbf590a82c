package form

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// haveAgents returns an error unless every node that may switch others off has the
// agents for that. Our own comes with sirikata-node.
func (f *Former) haveAgents(members []*member) error {
	if f.Fence == nil {
		return nil
	}
	full := f.rounds[len(f.rounds)-1]
	var lacking []error
	for _, m := range members {
		if full.role(m.node.Name) != cluster.Full {
			continue
		}
		for _, agent := range f.agents() {
			if agent != cluster.FenceAgent && !slices.Contains(m.found.agents, agent) {
				lacking = append(lacking, &cluster.NodeError{Node: m.node.Name, Err: cluster.WithHint(
					fmt.Errorf("the fence agent %s is not installed (/usr/sbin/%s)", agent, agent),
					"install it on every host: Debian has most in the package fence-agents")})
			}
		}
	}
	return errors.Join(lacking...)
}

// agents are the fence agents of the cluster, each once.
func (f *Former) agents() []string {
	var agents []string
	for _, device := range f.Fence.Devices {
		agents = append(agents, device.Agent)
	}
	slices.Sort(agents)
	return slices.Compact(agents)
}
