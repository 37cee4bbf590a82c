package form

import (
	"context"
	"fmt"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// watchdog is what switches a node off that the cluster has lost; is is false where
// nothing on the node itself does.
func (f *Former) watchdog(m *member) (watchdog cluster.Watchdog, is bool) {
	host, _ := f.Spec.Host(m.node.Name)
	return host.Fence.Watchdog()
}

// watchdogScript says what a watchdog is and who holds it. It must not open it: that
// arms it, and some cannot be disarmed (CONFIG_WATCHDOG_NOWAYOUT). In a container it
// may be any file that is mounted there. Linux has two names for the first one.
const watchdogScript = `
if ! [ -e "$1" ]; then
	echo missing
elif ! [ -c "$1" ] && [ "$(stat -Lc %d "$1")" = "$(stat -Lc %d "$(dirname "$1")")" ]; then
	echo file
fi
device=$(readlink -f "$1")
other=$device
case $device in
/dev/watchdog) other=/dev/watchdog0 ;;
/dev/watchdog0) other=/dev/watchdog ;;
esac
find /proc/[0-9]*/fd -lname "$device" -o -lname "$other" 2>/dev/null | while IFS=/ read -r _ _ pid _; do
	echo "held $pid $(cat "/proc/$pid/comm")"
done
`

// haveWatchdog returns an error unless the node has the watchdog that it is to be
// switched off by, and no other program uses it.
func haveWatchdog(ctx context.Context, f *Former, m *member) error {
	watchdog, is := f.watchdog(m)
	if !is {
		return nil
	}
	out, err := m.client.Output(ctx, "sh", "-c", watchdogScript, "sirikata-watchdog", watchdog.Device)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		if err := watchdogFault(watchdog.Device, strings.TrimSpace(line), f.owns(m.found)); err != nil {
			return err
		}
	}
	return nil
}

// watchdogFault is what a line of watchdogScript says against a watchdog.
func watchdogFault(device, line string, ours bool) error {
	word, rest, _ := strings.Cut(line, " ")
	pid, program, _ := strings.Cut(rest, " ")
	switch {
	case word == "missing":
		return cluster.WithHint(fmt.Errorf("it has no watchdog %s", device),
			"load the driver of its watchdog (ls /sys/class/watchdog; modprobe iTCO_wdt, ipmi_watchdog, i6300esb…), or say which device it is: "+
				`"watchdog": "/dev/watchdog1". To try it out, modprobe softdog does, which hangs when the kernel hangs`)
	case word == "file":
		return cluster.WithHint(fmt.Errorf("%s is a file, not a watchdog", device), "remove it, and load the driver of the host's watchdog")
	case word != "held" || ours && program == "sbd":
		return nil
	case pid == "1":
		return cluster.WithHint(fmt.Errorf("systemd itself uses the watchdog %s", device),
			"remove RuntimeWatchdogSec from /etc/systemd/system.conf and system.conf.d, then: systemctl daemon-reexec")
	}
	return cluster.WithHint(fmt.Errorf("%s (process %s) uses the watchdog %s", program, pid, device), "stop it, and disable what starts it")
}

// calm ends Pacemaker on a node with a watchdog, before any of them leaves: as they do,
// those that are left lose their quorum, which sbd overlooks only once its Pacemaker has
// ended in good order. To end sbd first would not do: Pacemaker waits for it to hear of
// the end (SBD_SYNC_RESOURCE_STARTUP).
func calm(ctx context.Context, f *Former, m *member) error {
	if _, is := f.watchdog(m); !is {
		return nil
	}
	_, err := m.client.Output(ctx, "timeout", stopPatience, "systemctl", "stop", "pacemaker.service")
	if remote.ExitCode(err) == exitTimeout {
		return nil // giving the host back ends it by force
	}
	return err
}

const (
	stopPatience = "60" // seconds
	exitTimeout  = 124  // timeout(1)
)
