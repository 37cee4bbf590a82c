package local

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Every systemd takes about six inotify instances, of which the kernel grants
// 128 to one user by default: after about 20 nodes the rest die as they start.
// inotify(7), /proc interfaces.
const (
	inotifyPerNode = 6
	inotifyRaised  = 8192 // held 43 nodes in our measurements
)

// inotify is the kernel's limit of instances per user.
type inotify struct {
	file string // where it can be read and written
}

// checkInotify makes sure that so many nodes more can run.
func (p *Provider) checkInotify(ctx context.Context, more int) error {
	running, err := p.docker.lines(ctx, "ps", "--quiet", "--filter", "label="+indexLabel)
	if err != nil {
		return fmt.Errorf("count the nodes that run: %w", err)
	}
	return p.inotify.ensure(len(running) + more)
}

// ensure raises the limit if it is too low for so many nodes and we may.
func (i inotify) ensure(nodes int) error {
	text, err := os.ReadFile(i.file)
	if err != nil {
		return nil //nolint:nilerr // not Linux: the engine runs in a machine of its own
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || limit >= nodes*inotifyPerNode {
		return nil //nolint:nilerr // the start of a node will tell
	}
	// Opened without O_CREATE: the file is the kernel's.
	f, err := os.OpenFile(i.file, os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintln(f, inotifyRaised)
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return cluster.WithHint(
			fmt.Errorf("run %d nodes: the limit of %d inotify instances is too low: %w", nodes, limit, err),
			"raise it: sudo sysctl fs.inotify.max_user_instances=%d", inotifyRaised)
	}
	return nil
}
