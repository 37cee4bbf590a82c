package nodegroup

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// A fault of ours ends by a timer on the node, though nobody else may be left to end
// it. The timer is set before anything is broken. Its unit is not called sirikata-…:
// that is what units of services are called.
const (
	crashTimer  = "cluster-crash-test"
	crashMargin = 30 * time.Second // more than the test takes

	// timedScript mends what an earlier test left, and sets the timer; $1 is in how
	// many seconds, $2 the script that mends.
	timedScript = `set -eu
after=$1 undo=$2
` + untimedScript + `
sh -c "$undo"
systemd-run --quiet --collect --unit=` + crashTimer + ` --on-active="$after" --timer-property=AccuracySec=1s sh -c "$undo"
`
	untimedScript = `systemctl stop ` + crashTimer + `.timer 2>/dev/null || true`
)

// breakFor runs a script that breaks something on the node, until mends is run there,
// at the latest by the timer. The arguments are those of breaks from $3 on.
func (c *crash) breakFor(ctx context.Context, breaks, mends string, argv ...string) error {
	script := []string{"sh", "-c", timedScript + breaks, "sh", strconv.Itoa(int(c.endsAfter().Seconds())), mends}
	return c.onVictim(ctx, append(script, argv...)...)
}

// mendNow runs the script that mends, so that the timer has nothing to do.
func (c *crash) mendNow(ctx context.Context, mends string) error {
	err := c.onVictim(ctx, "sh", "-c", mends+"\n"+untimedScript)
	return cluster.WithHint(err, "it ends by itself, %v after it began", c.endsAfter())
}

func (c *crash) endsAfter() time.Duration { return c.options.Timeout + crashMargin }

// cutChain is the firewall's chain of a cut.
const cutChain = "sirikata-crash-test"

// uncutScript takes the chain away, as far as it is there.
const uncutScript = `{ iptables -w -D INPUT -j ` + cutChain + `; iptables -w -D OUTPUT -j ` + cutChain + `
iptables -w -F ` + cutChain + `; iptables -w -X ` + cutChain + `; } 2>/dev/null; true`

// cutScript keeps the node from everybody but those who come by SSH, above all the
// operator: from the other nodes, and from what fences, whatever that is and
// wherever. A node that is cut off must not be able to switch the others off.
const cutScript = `
port=${SSH_CONNECTION##* }
iptables -w -N ` + cutChain + `
iptables -w -A ` + cutChain + ` -i lo -j RETURN
iptables -w -A ` + cutChain + ` -o lo -j RETURN
iptables -w -A ` + cutChain + ` -p tcp --dport "$port" -j RETURN
iptables -w -A ` + cutChain + ` -p tcp --sport "$port" -j RETURN
iptables -w -A ` + cutChain + ` -j DROP
iptables -w -I INPUT -j ` + cutChain + `
iptables -w -I OUTPUT -j ` + cutChain

// cut takes the node off the network, but for SSH.
func (c *crash) cut() (fault, error) {
	if ip, err := netip.ParseAddr(c.victim.Address); err != nil || !ip.Is4() {
		return fault{}, c.unsupported(fmt.Sprintf(": the address %q of %s is not IPv4", c.victim.Address, c.victim.Name))
	}
	return fault{
		what: "it was cut off from the network, but for SSH",
		do:   func(ctx context.Context) error { return c.breakFor(ctx, cutScript, uncutScript) },
		undo: func(ctx context.Context, w *crashWatch) error {
			if w.fenced() {
				return nil // its firewall began anew, as it did
			}
			return c.mendNow(ctx, uncutScript)
		},
		left: fmt.Sprintf("nothing: the cut ends by itself, %v after it began", c.endsAfter()),
	}, nil
}
