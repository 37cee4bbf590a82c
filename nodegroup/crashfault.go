package nodegroup

import (
	"context"
	"fmt"

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
		return c.killProcess(), nil
	case CrashDisk:
		return c.fillDisk(), nil
	}
	return fault{}, c.unsupported("")
}

// command is a command line that does something to the node.
func (c *crash) command(verb string) string {
	return fmt.Sprintf("sirikata-cluster %s %s %s %s", c.group.spec.Type, verb, c.group.spec.Name, c.victim.Name)
}

// unsupported says that this type of clusters cannot break that, and why.
func (c *crash) unsupported(why string) error {
	works := "cut, process, disk"
	if _, ok := c.group.provider.(provider.Freezer); ok {
		works = "freeze, " + works
	}
	if _, ok := c.group.provider.(provider.Power); ok {
		works = "power, " + works
	}
	return cluster.WithHint(fmt.Errorf("crash test of kind %s: %w%s", c.options.Kind, provider.ErrNotSupported, why),
		"the kinds that work are %s", works)
}

func (c *crash) onMachine(what, left string, do, undo func(context.Context, provider.Machine) error) fault {
	return fault{what: what, left: left,
		do:   func(ctx context.Context) error { return do(ctx, c.machine) },
		undo: func(ctx context.Context, _ *crashWatch) error { return undo(ctx, c.machine) },
	}
}

// killProcess kills a service or, where none runs, what acts for the cluster.
func (c *crash) killProcess() fault {
	if c.service == "" {
		return c.killController()
	}
	return c.killService()
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
