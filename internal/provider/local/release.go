package local

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Release implements [provider.Provider]: it removes the containers with their
// volumes, then the network. The image stays. The power service is first, lest it
// starts nodes again.
func (p *Provider) Release(ctx context.Context, spec cluster.Spec) error {
	services, err := p.powerServices(ctx, spec.Name)
	if err != nil {
		return err
	}
	if err := each(services, func(c container) error { return p.remove(ctx, c.ID) }); err != nil {
		return err
	}
	containers, err := p.containers(ctx, spec.Name)
	if err != nil {
		return err
	}
	if err := p.removeNodes(ctx, containers); err != nil {
		return err
	}
	networks, err := p.docker.lines(ctx, "network", "ls", "--quiet", "--filter", "label="+ClusterLabel+"="+spec.Name)
	if err != nil {
		return fmt.Errorf("find the network of cluster %q: %w", spec.Name, err)
	}
	return each(networks, func(id string) error {
		if err := p.removeNetwork(ctx, id); err != nil {
			return fmt.Errorf("remove the network of cluster %q: %w", spec.Name, err)
		}
		return nil
	})
}

// ReleaseMachine implements [provider.Provider]. It finds the container by its
// index: another operator may know it by an id of the past.
func (p *Provider) ReleaseMachine(ctx context.Context, spec cluster.Spec, machine provider.Machine) error {
	containers, err := p.containers(ctx, spec.Name)
	if err != nil {
		return err
	}
	others := func(c container) bool { return c.index() != machine.Index }
	return p.removeNodes(ctx, slices.DeleteFunc(containers, others))
}

func (p *Provider) removeNodes(ctx context.Context, containers []container) error {
	return each(containers, func(c container) error {
		if err := p.remove(ctx, c.ID); err != nil {
			return &cluster.NodeError{Node: cluster.NodeName(c.index()), Err: err}
		}
		return nil
	})
}

// remove removes a container and returns when it is gone.
func (p *Provider) remove(ctx context.Context, id string) error {
	err := untilIdle(ctx, "already in progress", func() error {
		_, err := p.docker.run(ctx, nil, "rm", "--force", "--volumes", id)
		return err
	})
	if err != nil && !toolSays(err, "no such container") {
		return fmt.Errorf("remove container %.12s: %w", id, err)
	}
	return nil
}

// removeNetwork removes a network that no container uses any more. The engine
// may still be taking the last ones off it.
func (p *Provider) removeNetwork(ctx context.Context, id string) error {
	err := untilIdle(ctx, "has active endpoints", func() error {
		_, err := p.docker.run(ctx, nil, "network", "rm", id)
		return err
	})
	if toolSays(err, "no such network", "not found") {
		return nil
	}
	return err
}

const (
	idlePause = 100 * time.Millisecond
	idleLimit = time.Minute
)

// untilIdle does f again while it fails because the engine is still at work on
// the same thing, which it tells by the word busy.
func untilIdle(ctx context.Context, busy string, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, idleLimit, fmt.Errorf("gave up after %s", idleLimit))
	defer cancel()
	return retry(ctx, idlePause, func(err error) bool { return toolSays(err, busy) }, f)
}
