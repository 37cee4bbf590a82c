package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// parallel is how many containers are worked on at once. The engine itself
// takes locks; more gains nothing.
const parallel = 8

// allocation is one run of [Provider.Allocate].
type allocation struct {
	*Provider
	name          string
	authorizedKey string
	image         string
	cgroup        string // the engine's cgroup version
	subnet        netip.Prefix
	progress      func(format string, args ...any)
}

// Allocate implements [provider.Provider]. It builds the image first if it is
// missing. It does not wait for the nodes to boot.
func (p *Provider) Allocate(
	ctx context.Context, spec cluster.Spec, authorizedKey string, progress func(string),
) ([]provider.Machine, error) {
	if err := checkKey(authorizedKey); err != nil {
		return nil, err
	}
	a := &allocation{Provider: p, name: spec.Name, authorizedKey: authorizedKey, progress: serial(progress)}
	have, err := p.containers(ctx, spec.Name)
	if err != nil {
		return nil, err
	}
	work := plan(have, spec)
	if len(work) > 0 {
		if err := a.prepare(ctx, have, work); err != nil {
			return nil, err
		}
		if err := each(work, func(s step) error { return a.do(ctx, s) }); err != nil {
			return nil, err
		}
	}
	machines, err := p.Find(ctx, spec)
	removed := func(m provider.Machine) bool { return slices.Contains(spec.Removed, m.Index) }
	return slices.DeleteFunc(machines, removed), err
}

// prepare makes what the nodes share.
func (a *allocation) prepare(ctx context.Context, have []container, work []step) error {
	if err := a.checkInotify(ctx, len(work)); err != nil {
		return err
	}
	if slices.ContainsFunc(work, func(s step) bool { return s.start == "" }) {
		var err error
		if a.image, err = a.ensureImage(ctx, false, io.Discard, a.progress); err != nil {
			return err
		}
		version, err := a.docker.lines(ctx, "info", "--format", "{{.CgroupVersion}}")
		if err != nil {
			return fmt.Errorf("ask the engine for its version of cgroups: %w", err)
		}
		a.cgroup = version[0]
	}
	var err error
	a.subnet, err = a.network(ctx, a.name, subnetOf(have))
	return err
}

// subnetOf is the subnet of nodes that exist; it is not valid if there are none.
func subnetOf(have []container) netip.Prefix {
	for _, c := range have {
		if address, err := netip.ParseAddr(c.address()); err == nil {
			return netip.PrefixFrom(address, 24).Masked()
		}
	}
	return netip.Prefix{}
}

func (a *allocation) do(ctx context.Context, s step) error {
	node := cluster.NodeName(s.index)
	if s.start != "" {
		a.progress("%s: powering on", node)
		if err := a.powerOn(ctx, s); err != nil {
			return &cluster.NodeError{Node: node, Err: fmt.Errorf("power on: %w", err)}
		}
		return nil
	}
	if s.redo != "" {
		a.progress("%s: removing an unfinished container", node)
		if err := a.remove(ctx, s.redo); err != nil {
			return &cluster.NodeError{Node: node, Err: err}
		}
	}
	if err := a.create(ctx, s.index); err != nil {
		return &cluster.NodeError{Node: node, Err: fmt.Errorf("make a container: %w", err)}
	}
	a.progress("%s: started", node)
	return nil
}

// powerOn starts a container. docker network prune removes the network of a
// cluster that is off; its nodes are then put on the new one.
func (a *allocation) powerOn(ctx context.Context, s step) error {
	if !s.loose {
		_, err := a.docker.run(ctx, nil, "start", s.start)
		if err == nil || !toolSays(err, "network") || !toolSays(err, "not found") {
			return err
		}
		// The container knows its network by an id that is no more.
		_, err = a.docker.run(ctx, nil, "network", "disconnect", "--force", networkName(a.name), s.start)
		if err != nil && !toolSays(err, "is not connected") {
			return err
		}
	}
	_, err := a.docker.run(ctx, nil, "network", "connect",
		"--ip", nodeAddress(a.subnet, s.index).String(), "--alias", cluster.NodeName(s.index), networkName(a.name), s.start)
	if err != nil {
		return err
	}
	_, err = a.docker.run(ctx, nil, "start", s.start)
	return err
}

// each does f for all items, some at a time, and reports every failure.
func each[T any](items []T, f func(T) error) error {
	var group errgroup.Group
	group.SetLimit(parallel)
	faults := make([]error, len(items))
	for i, item := range items {
		group.Go(func() error {
			faults[i] = f(item)
			return nil
		})
	}
	_ = group.Wait() // never fails: faults has it all
	return errors.Join(faults...)
}

// serial makes progress callable from many goroutines.
func serial(progress func(string)) func(string, ...any) {
	var mutex sync.Mutex
	return func(format string, args ...any) {
		if progress == nil {
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		progress(fmt.Sprintf(format, args...))
	}
}

// checkKey refuses what is not exactly one line of authorized_keys.
func checkKey(authorizedKey string) error {
	_, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(authorizedKey))
	if err != nil {
		return fmt.Errorf("read the authorized key: %w", err)
	}
	if len(rest) > 0 {
		return errors.New("read the authorized key: it has more than one line")
	}
	return nil
}
