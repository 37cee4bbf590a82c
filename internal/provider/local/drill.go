package local

import (
	"context"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// stopSeconds is how long a node may take to shut down before it is killed.
// systemd's own limit for one service is 90 s.
const stopSeconds = "100"

// Kill implements [provider.Power]. A machine that is off stays off.
func (p *Provider) Kill(ctx context.Context, machine provider.Machine) error {
	_, err := p.docker.run(ctx, nil, "kill", machine.ID)
	if toolSays(err, "is not running") {
		return nil
	}
	if err == nil {
		// kill returns when the signal is sent; wait, when the machine is off.
		_, err = p.docker.run(ctx, nil, "wait", machine.ID)
	}
	return power("kill", machine, err)
}

// Stop implements [provider.Power]. A machine that is off stays off.
func (p *Provider) Stop(ctx context.Context, machine provider.Machine) error {
	_, err := p.docker.run(ctx, nil, "stop", "-t", stopSeconds, machine.ID)
	return power("stop", machine, err)
}

// Start implements [provider.Power]. It does not wait for the node to boot.
func (p *Provider) Start(ctx context.Context, machine provider.Machine) error {
	_, err := p.docker.run(ctx, nil, "start", machine.ID)
	if toolSays(err, "cannot start a paused container") {
		return nil // a frozen machine is on
	}
	return power("power on", machine, err)
}

// Freeze implements [provider.Freezer]: the kernel stops every process of the
// container (cgroups(7), freezer), without any of them knowing.
func (p *Provider) Freeze(ctx context.Context, machine provider.Machine) error {
	_, err := p.docker.run(ctx, nil, "pause", machine.ID)
	if toolSays(err, "is already paused") {
		return nil
	}
	return power("freeze", machine, err)
}

// Thaw implements [provider.Freezer].
func (p *Provider) Thaw(ctx context.Context, machine provider.Machine) error {
	_, err := p.docker.run(ctx, nil, "unpause", machine.ID)
	if toolSays(err, "is not paused") {
		return nil
	}
	return power("thaw", machine, err)
}

func power(verb string, machine provider.Machine, err error) error {
	if err == nil {
		return nil
	}
	return &cluster.NodeError{Node: machine.Name, Err: fmt.Errorf("%s: %w", verb, err)}
}
