package nodegroup

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// fault is one way to break something. undo mends it, also after do has failed,
// and can be called when it is mended already.
type fault struct {
	what string // has been done, of the node
	do   func(context.Context) error
	undo func(context.Context, *crashWatch) error
	// left is what to do by hand about a fault that is left as it is.
	left string
}

// fault prepares what the options ask for, and touches nothing.
func (c *crash) fault() (fault, error) {
	again := c.command("nodes start")
	switch c.options.Kind {
	case CrashPower:
		if power, ok := c.group.provider.(provider.Power); ok {
			return c.onMachine("its power was cut", again, power.Kill, power.Start), nil
		}
	case CrashFreeze:
		if freezer, ok := c.group.provider.(provider.Freezer); ok {
			return c.onMachine("it was frozen", c.command("nodes kill")+", then "+again, freezer.Freeze, freezer.Thaw), nil
		}
	case CrashCut:
		return c.cut()
	case CrashProcess:
		if c.service == "" {
			return c.killController(), nil
		}
		return c.killService(), nil
	case CrashDisk:
		return fault{}, c.noDisk()
	}
	return fault{}, c.unsupported("")
}

// command is a command line that does something to the node.
func (c *crash) command(verb string) string {
	return fmt.Sprintf("sirikata-cluster %s %s %s %s", c.group.spec.Type, verb, c.group.spec.Name, c.victim.Name)
}

// unsupported says that this type of clusters cannot break that, and why.
func (c *crash) unsupported(why string) error {
	works := "cut, process"
	if _, ok := c.group.provider.(provider.Freezer); ok {
		works = "freeze, " + works
	}
	if _, ok := c.group.provider.(provider.Power); ok {
		works = "power, " + works
	}
	return cluster.WithHint(fmt.Errorf("crash test of kind %s: %w%s", c.options.Kind, provider.ErrNotSupported, why),
		"the kinds that work are %s", works)
}

// noDisk: the writable layer of a container has no limit of its own.
func (c *crash) noDisk() error {
	if c.group.spec.Type == cluster.Local {
		return c.unsupported(": the disk of a node is that of this machine, which would be full, too")
	}
	return c.unsupported("")
}

func (c *crash) onMachine(what, left string, do, undo func(context.Context, provider.Machine) error) fault {
	return fault{what: what, left: left,
		do:   func(ctx context.Context) error { return do(ctx, c.machine) },
		undo: func(ctx context.Context, _ *crashWatch) error { return undo(ctx, c.machine) },
	}
}

// killService kills the main process of a service.
func (c *crash) killService() fault {
	return fault{
		what: fmt.Sprintf("the main process of service %q was killed", c.service),
		do: func(ctx context.Context) error {
			return c.onVictim(ctx, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", cluster.UnitName(c.service))
		},
		undo: func(ctx context.Context, w *crashWatch) error {
			if !w.noticed() || w.restarted(c.service) {
				return nil
			}
			_, err := c.engine.Restart(ctx, []string{c.service})
			return err
		},
		left: fmt.Sprintf("sirikata-cluster restart service %s %s", c.group.spec.Name, c.service),
	}
}

// killController kills the Pacemaker daemon that does what the cluster decides.
// Names of processes have 15 characters (proc(5), comm).
func (c *crash) killController() fault {
	what, process := "pacemaker-controld was killed", "pacemaker-contr"
	if c.victim.Role == cluster.Remote {
		what, process = "pacemaker-remoted was killed", "pacemaker-remot"
	}
	return fault{
		what: what,
		do:   func(ctx context.Context) error { return c.onVictim(ctx, "pkill", "-KILL", "-x", process) },
		undo: func(context.Context, *crashWatch) error { return nil }, // systemd or pacemakerd starts it
		left: c.command("nodes start"),
	}
}

// The firewall's chain of a cut, and the timer that ends the cut though nobody
// else may be left to end it. The timer is set before the node is cut. Its unit is
// not called sirikata-…: that is what units of services are called.
const (
	cutChain  = "sirikata-crash-test"
	cutTimer  = "cluster-crash-test"
	cutMargin = 30 * time.Second // more than the test takes
)

// uncutScript takes the chain away, as far as it is there.
const uncutScript = `{ iptables -w -D INPUT -j ` + cutChain + `; iptables -w -D OUTPUT -j ` + cutChain + `
iptables -w -F ` + cutChain + `; iptables -w -X ` + cutChain + `; } 2>/dev/null; true`

// cutScript keeps the node from everybody but those who come by SSH, above all the
// operator: from the other nodes, and from what fences, whatever that is and
// wherever. A node that is cut off must not be able to switch the others off.
const cutScript = `set -eu
after=$1 undo=$2
port=${SSH_CONNECTION##* }
systemctl stop ` + cutTimer + `.timer 2>/dev/null || true
sh -c "$undo"
systemd-run --quiet --collect --unit=` + cutTimer + ` --on-active="$after" --timer-property=AccuracySec=1s sh -c "$undo"
iptables -w -N ` + cutChain + `
iptables -w -A ` + cutChain + ` -i lo -j RETURN
iptables -w -A ` + cutChain + ` -o lo -j RETURN
iptables -w -A ` + cutChain + ` -p tcp --dport "$port" -j RETURN
iptables -w -A ` + cutChain + ` -p tcp --sport "$port" -j RETURN
iptables -w -A ` + cutChain + ` -j DROP
iptables -w -I INPUT -j ` + cutChain + `
iptables -w -I OUTPUT -j ` + cutChain

const healScript = uncutScript + `
systemctl stop ` + cutTimer + `.timer 2>/dev/null || true`

// cut takes the node off the network, but for SSH.
func (c *crash) cut() (fault, error) {
	if ip, err := netip.ParseAddr(c.victim.Address); err != nil || !ip.Is4() {
		return fault{}, c.unsupported(fmt.Sprintf(": the address %q of %s is not IPv4", c.victim.Address, c.victim.Name))
	}
	after := c.options.Timeout + cutMargin
	return fault{
		what: "it was cut off from the network, but for SSH",
		do: func(ctx context.Context) error {
			return c.onVictim(ctx, "sh", "-c", cutScript, "sh", strconv.Itoa(int(after.Seconds())), uncutScript)
		},
		undo: func(ctx context.Context, w *crashWatch) error {
			if w.fenced() {
				return nil // its firewall began anew, as it did
			}
			err := c.onVictim(ctx, "sh", "-c", healScript)
			return cluster.WithHint(err, "the cut ends by itself, %v after it began", after)
		},
		left: fmt.Sprintf("nothing: the cut ends by itself, %v after it began", after),
	}, nil
}

func (c *crash) onVictim(ctx context.Context, argv ...string) error {
	client, err := c.group.pool.Client(ctx, c.victim.Name)
	if err == nil {
		_, err = client.Run(ctx, remote.Command{Argv: argv})
	}
	if err != nil {
		return &cluster.NodeError{Node: c.victim.Name, Err: err}
	}
	return nil
}
