// Package local makes nodes out of containers on this machine, for trying out,
// developing and testing. A node boots systemd and is reached over SSH, so that
// nothing after allocation differs from a machine in a cloud.
//
// It drives the docker command line, as kind does, and keeps no file: all that
// it made is found again by its labels. It never uses --privileged: Pacemaker's
// panic writes to /proc/sysrq-trigger, which would reboot the operator's
// machine.
//
// What runs on the nodes is none of its business; what their image holds is,
// see image.go. Start at [New] and [Provider.Allocate].
package local

import (
	"context"
	"runtime"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Labels of all containers and networks that we make. ClusterLabel finds them
// again; the others are on containers only.
const (
	ClusterLabel = "org.sirikata.cluster"
	indexLabel   = "org.sirikata.index"
	hostKeyLabel = "org.sirikata.hostkey"
)

// Options are what a caller may choose. The zero value is the usual choice.
type Options struct {
	// Labels are put on every container and network besides our own.
	Labels map[string]string
	// Mirror is the Debian archive that images are built from; empty means
	// http://deb.debian.org/debian.
	Mirror string
	// PublishSSH reaches new nodes through a port on 127.0.0.1 instead of their
	// own address. It is always so where container addresses cannot be reached
	// from outside, which is everywhere but on Linux.
	PublishSSH bool
}

// Provider makes nodes out of containers.
type Provider struct {
	docker  docker
	options Options
	inotify inotify
}

var (
	_ provider.Provider     = (*Provider)(nil)
	_ provider.Power        = (*Provider)(nil)
	_ provider.Freezer      = (*Provider)(nil)
	_ provider.Fencer       = (*Provider)(nil)
	_ provider.ImageBuilder = (*Provider)(nil)
)

// New returns a provider. It does no I/O: a missing engine is noticed by the
// first use.
func New(options Options) *Provider {
	if options.Mirror == "" {
		options.Mirror = "http://deb.debian.org/debian"
	}
	if runtime.GOOS != "linux" {
		options.PublishSSH = true
	}
	return &Provider{
		docker:  docker{program: "docker"},
		options: options,
		inotify: inotify{file: "/proc/sys/fs/inotify/max_user_instances"},
	}
}

// Find implements [provider.Provider]. Containers that were never finished are
// left out.
func (p *Provider) Find(ctx context.Context, spec cluster.Spec) ([]provider.Machine, error) {
	containers, err := p.containers(ctx, spec.Name)
	if err != nil {
		return nil, err
	}
	var machines []provider.Machine
	for _, c := range containers {
		if c.made() {
			machines = append(machines, c.machine())
		}
	}
	return machines, nil
}
