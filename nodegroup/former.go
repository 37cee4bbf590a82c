package nodegroup

import (
	"context"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/form"
	"github.com/sirikata/sirikata-cluster/internal/programs"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// former makes a cluster of the machines; it has yet to be told what to do.
func (g *NodeGroup) former(ctx context.Context, machines []provider.Machine) (*form.Former, error) {
	former := &form.Former{Spec: g.spec, Nodes: g.toNodes(machines), Pool: g.pool.Root(), Prepare: g.spec.Type == cluster.AdHoc, Progress: g.env.progress}
	for _, machine := range machines {
		if !machine.Running {
			former.Off = append(former.Off, machine.Name)
		}
	}
	var err error
	former.Fence, err = g.fence(ctx)
	return former, err
}

// fence makes what the cluster is fenced with; nil without fencing.
func (g *NodeGroup) fence(ctx context.Context) (*form.Fence, error) {
	if !g.spec.Fencing {
		return nil, nil
	}
	if g.spec.Type == cluster.AdHoc {
		return hostFence(g.spec.Hosts), nil
	}
	fencer, ok := g.provider.(provider.Fencer)
	if !ok {
		return nil, fmt.Errorf("fencing: %w", provider.ErrNotSupported)
	}
	device, err := fencer.FenceDevice(ctx, g.spec, func(machine string) ([]byte, error) {
		content, _, err := programs.Node(machine)
		return content, err
	})
	if err != nil {
		return nil, fmt.Errorf("make what fences nodes: %w", err)
	}
	return &form.Fence{Secret: device.Secret, Devices: []form.FenceDevice{{Agent: device.Agent, Parameters: device.Parameters}}}, nil
}

// hostFence is what the user says that switches each host off; no device for one that
// its own watchdog does.
func hostFence(hosts []cluster.Host) *form.Fence {
	fence := &form.Fence{}
	for _, host := range hosts {
		if _, is := host.Fence.Watchdog(); is {
			continue
		}
		agent, parameters := host.Fence.Split()
		fence.Devices = append(fence.Devices, form.FenceDevice{Node: host.Name, Agent: agent, Parameters: parameters})
	}
	return fence
}
