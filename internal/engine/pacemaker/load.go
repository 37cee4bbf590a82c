package pacemaker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// How the load of a node is measured. The first look takes no longer than the
// questions beside it, and what it suspects is looked at for longer.
const (
	longLook = 2 * time.Second
	// loadPatience is for how long a look is waited for, beyond what it takes.
	loadPatience = 1500 * time.Millisecond
)

// What no idle cluster takes of a node. Idle, Corosync and each of Pacemaker's
// daemons take a few hundredths of a core, and Corosync sends some kB a second,
// next to none of it twice; these are far above that, so that a warning means
// something, and far below what fills a node.
const (
	busy        = 0.5     // of a core, by one daemon
	flood       = 1 << 20 // bytes a second, both ways
	retransmits = 50      // messages a second
	// settled is the age from which on the mean of a daemon means something.
	settled = 5 * time.Minute
)

// cibDaemon is who answers most of our own questions.
const cibDaemon = "pacemaker-based"

// reading is what one node takes, if it could say.
type reading struct {
	client *remote.Client
	load   cluster.Load
	known  bool
}

// measure begins to measure on the node that we are connected to.
func (e *Engine) measure(ctx context.Context) <-chan reading {
	done := make(chan reading, 1)
	go func() {
		client, err := e.pool.Any(ctx, nil)
		if err != nil {
			done <- reading{}
			return
		}
		done <- read(ctx, client, 0)
	}()
	return done
}

// read asks a node what it takes, for so long; 0 is short. A node that was not
// booted since may have a sirikata-node that does not know this question.
func read(ctx context.Context, client *remote.Client, window time.Duration) reading {
	ctx, cancel := context.WithTimeout(ctx, window+loadPatience)
	defer cancel()
	argv := []string{cluster.NodeProgramPath, "load"}
	if window > 0 {
		argv = append(argv, window.String())
	}
	r := reading{client: client}
	out, err := client.Output(ctx, argv...)
	r.known = err == nil && json.Unmarshal(out, &r.load) == nil
	return r
}

// votes are the nodes that have a vote, if this is of the given node and that
// knows.
func (r reading) votes(of *remote.Client) []string {
	if r.client != of || !r.known || r.load.Corosync == nil {
		return nil
	}
	return r.load.Corosync.Votes
}

// suspicious reports whether a short look is worth a longer one. Our own questions
// keep Pacemaker's CIB daemon busy meanwhile, so that one must have been so for
// long.
func suspicious(load cluster.Load) bool {
	for _, daemon := range load.Daemons {
		long := daemon.Mean > busy && daemon.AgeSeconds > settled.Seconds()
		if daemon.Now > busy && (long || daemon.Name != cibDaemon) {
			return true
		}
	}
	c := load.Corosync
	return c != nil && (c.BytesPerSecond > flood || c.RetransmitsPerSecond > retransmits)
}

// strain says what takes more of a node than an idle cluster does. Where a change
// is under way there is nothing strange in that.
func (e *Engine) strain(ctx context.Context, first reading, mon cib.Mon) []string {
	if !first.known || !suspicious(first.load) || mon.AtWork() {
		return nil
	}
	r := read(ctx, first.client, longLook)
	if !r.known {
		return nil
	}
	return e.complaints(r.client.Name(), r.load)
}

func (e *Engine) complaints(node string, load cluster.Load) []string {
	var all []string
	complain := func(daemon, format string, args ...any) {
		unit := daemon
		switch {
		case daemon == "pacemaker-remoted":
			unit = "pacemaker_remote"
		case daemon != "corosync":
			unit = "pacemaker"
		}
		all = append(all, fmt.Sprintf("%s on %s %s, measured for %.1f s: if it goes on, its log may say why "+
			"(sirikata-cluster node ssh %s %s -- journalctl --unit=%s --lines=50)",
			daemon, node, fmt.Sprintf(format, args...), load.Seconds, e.spec.Name, node, unit))
	}
	for _, daemon := range load.Daemons {
		if daemon.Now > busy {
			complain(daemon.Name, "takes %.2f of a core (%.2f since it was started, %v ago)",
				daemon.Now, daemon.Mean, time.Duration(daemon.AgeSeconds*float64(time.Second)).Round(time.Second))
		}
	}
	if c := load.Corosync; c != nil && c.BytesPerSecond > flood {
		complain("corosync", "sends and receives %.1f MB a second", c.BytesPerSecond/1e6)
	}
	if c := load.Corosync; c != nil && c.RetransmitsPerSecond > retransmits {
		complain("corosync", "sends %.0f messages a second once more, because others did not get them", c.RetransmitsPerSecond)
	}
	return all
}
