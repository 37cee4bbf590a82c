package local

import (
	"context"
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
	work := plan(have, spec.Size)
	if len(work) > 0 {
		if err := a.prepare(ctx, have, work); err != nil {
			return nil, err
		}
		if err := each(work, func(s step) error { return a.do(ctx, s) }); err != nil {
			return nil, err
		}
	}
	return p.Find(ctx, spec)
}

// step is what one node needs.
type step struct {
	index int
	start string // the container to power on
	redo  string // the unfinished container to make again
}

// plan says what each node needs that does not run yet.
func plan(have []container, size int) []step {
	missing := make(map[int]bool, size)
	for i := range size {
		missing[i] = true
	}
	var work []step
	for _, c := range have {
		delete(missing, c.index())
		switch {
		case !c.made():
			work = append(work, step{index: c.index(), redo: c.ID})
		case !c.running():
			work = append(work, step{index: c.index(), start: c.ID})
		}
	}
	for i := range missing {
		work = append(work, step{index: i})
	}
	slices.SortFunc(work, func(a, b step) int { return a.index - b.index })
	return work
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
	var wanted netip.Prefix
	for _, c := range have {
		if address, err := netip.ParseAddr(c.address()); err == nil {
			wanted = netip.PrefixFrom(address, 24).Masked()
		}
	}
	var err error
	a.subnet, err = a.network(ctx, a.name, wanted)
	return err
}

func (a *allocation) do(ctx context.Context, s step) error {
	node := nodeName(s.index)
	if s.start != "" {
		a.progress("%s: powering on", node)
		if _, err := a.docker.run(ctx, nil, "start", s.start); err != nil {
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

// create makes a container and starts it last: one that was never started is
// one that may lack its keys, see [container.made].
func (a *allocation) create(ctx context.Context, index int) error {
	hostKey, files, err := keyFiles(a.authorizedKey)
	if err != nil {
		return err
	}
	id, err := a.docker.lines(ctx, a.createArgs(index, hostKey)...)
	if err != nil {
		return err
	}
	if _, err := a.docker.run(ctx, files, "cp", "-", id[0]+":/"); err != nil {
		return err
	}
	_, err = a.docker.run(ctx, nil, "start", id[0])
	return err
}

// createArgs is the command line of docker create. Without seccomp and AppArmor
// profiles and with these capabilities systemd boots fully, and Corosync can
// lock its memory and run in real time; design.md §6 has the measurements.
func (a *allocation) createArgs(index int, hostKey string) []string {
	node := nodeName(index)
	args := []string{
		"create",
		"--name", containerName(a.name, index),
		"--hostname", node,
		"--network", networkName(a.name), "--network-alias", node,
		"--ip", nodeAddress(a.subnet, index).String(), // fixed: it stands in corosync.conf
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		// Each killed cluster daemon leaks shared memory; at the default 64 MB a
		// node stays offline with CS_ERR_NO_SPACE after a few.
		"--shm-size", "512m",
		"--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777",
		"--stop-signal", "SIGRTMIN+3", // systemd(1): halt
	}
	if a.cgroup == "1" {
		args = append(args, "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw")
	} else {
		// Untested until it was run on such a machine: the image's entry point
		// remounts the node's own cgroup tree writable.
		args = append(args, "--cgroupns", "private")
	}
	if a.options.PublishSSH {
		args = append(args, "--publish", "127.0.0.1::22")
	}
	args = append(args, a.labels(a.name)...)
	args = append(args, "--label", fmt.Sprintf("%s=%d", indexLabel, index), "--label", hostKeyLabel+"="+hostKey)
	return append(args, a.image)
}

// labels are the options that label what belongs to the cluster.
func (p *Provider) labels(name string) []string {
	args := []string{"--label", ClusterLabel + "=" + name}
	for _, key := range sortedKeys(p.options.Labels) {
		args = append(args, "--label", key+"="+p.options.Labels[key])
	}
	return args
}

func containerName(cluster string, index int) string {
	return "sirikata-" + cluster + "-" + nodeName(index)
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
	return joined(faults)
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
		return fmt.Errorf("read the authorized key: it has more than one line")
	}
	return nil
}
