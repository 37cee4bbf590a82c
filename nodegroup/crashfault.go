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
	what string // said before
	do   func(context.Context) error
	undo func(context.Context, *crashWatch) error
}

// fault prepares what the options ask for, and touches nothing.
func (c *crash) fault() (fault, error) {
	switch c.options.Kind {
	case CrashPower:
		if power, ok := c.group.provider.(provider.Power); ok {
			return c.onMachine("cutting its power", power.Kill, power.Start), nil
		}
	case CrashFreeze:
		if freezer, ok := c.group.provider.(provider.Freezer); ok {
			return c.onMachine("freezing it", freezer.Freeze, freezer.Thaw), nil
		}
	case CrashCut:
		return c.cut()
	case CrashProcess:
		return c.kill(), nil
	}
	return fault{}, fmt.Errorf("crash test, %s: %w", c.options.Kind, provider.ErrNotSupported)
}

func (c *crash) onMachine(what string, do, undo func(context.Context, provider.Machine) error) fault {
	return fault{what: what,
		do:   func(ctx context.Context) error { return do(ctx, c.machine) },
		undo: func(ctx context.Context, _ *crashWatch) error { return undo(ctx, c.machine) },
	}
}

// kill kills the main process of the one service that is affected.
func (c *crash) kill() fault {
	id := c.affected[0].ID
	return fault{what: "killing the main process of service " + id,
		do: func(ctx context.Context) error {
			return c.onVictim(ctx, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", cluster.UnitName(id))
		},
		undo: func(ctx context.Context, w *crashWatch) error {
			if !w.noticed() || w.restarted(id) {
				return nil
			}
			_, err := c.engine.Restart(ctx, []string{id})
			return err
		},
	}
}

// The firewall's chain and the timer of a cut. The timer is set before the node is
// cut, so that the cut ends though nobody is left to end it.
const (
	cutChain  = "sirikata-crash-test"
	cutTimer  = "sirikata-crash-test"
	cutMargin = 30 * time.Second // more than the test takes
)

const uncutScript = `{ iptables -w -D INPUT -j ` + cutChain + `; iptables -w -D OUTPUT -j ` + cutChain + `
iptables -w -F ` + cutChain + `; iptables -w -X ` + cutChain + `; } 2>/dev/null; true`

const cutScript = `set -e
after=$1; undo=$2; shift 2
systemctl stop ` + cutTimer + `.timer 2>/dev/null || true
sh -c "$undo"
systemd-run --quiet --collect --unit=` + cutTimer + ` --on-active="$after" --timer-property=AccuracySec=1s sh -c "$undo"
iptables -w -N ` + cutChain + `
for address; do
	iptables -w -A ` + cutChain + ` -s "$address" -j DROP
	iptables -w -A ` + cutChain + ` -d "$address" -j DROP
done
iptables -w -I INPUT -j ` + cutChain + `
iptables -w -I OUTPUT -j ` + cutChain

const healScript = uncutScript + `
systemctl stop ` + cutTimer + `.timer 2>/dev/null || true`

// cut keeps the node and the other nodes apart; the operator still reaches it.
func (c *crash) cut() (fault, error) {
	argv := []string{"sh", "-c", cutScript, "sh", strconv.Itoa(int((c.options.Timeout + cutMargin).Seconds())), uncutScript}
	for _, address := range c.others {
		if ip, err := netip.ParseAddr(address); err != nil || !ip.Is4() {
			return fault{}, fmt.Errorf("crash test, cut: %w: a node has the address %q, which is not IPv4", provider.ErrNotSupported, address)
		}
		argv = append(argv, address)
	}
	return fault{what: "cutting it off from the other nodes",
		do: func(ctx context.Context) error { return c.onVictim(ctx, argv...) },
		undo: func(ctx context.Context, w *crashWatch) error {
			if w.fenced() {
				return nil // its firewall began anew, as it did
			}
			return c.onVictim(ctx, "sh", "-c", healScript)
		},
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
