//go:build lab

package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// labDaemonScript puts programs in the place of Corosync and Pacemaker that have
// their names, their units and their way to be started again, and nothing else.
const labDaemonScript = `
systemctl stop pacemaker.service corosync.service
for name in corosync pacemakerd pacemaker-controld pacemaker-based pacemaker-remoted; do cp /bin/sleep /opt/$name; done
unit() {
	printf '[Unit]\nStartLimitIntervalSec=0\n%s\n[Service]\nKillMode=%s\nRestart=always\nRestartSec=300ms\nExecStart=%s\n' \
		"$2" "$3" "$4" >/etc/systemd/system/$1
}
# Corosync takes a while to start.
unit corosync.service '' control-group '/opt/corosync 999
ExecStartPre=/bin/sleep 0.3'
unit pacemaker_remote.service '' process '/opt/pacemaker-remoted 999'
unit pacemaker.service 'Requires=corosync.service
After=corosync.service' control-group '/bin/bash -c "/opt/pacemaker-based 999 & /opt/pacemaker-controld 999 & wait -n; exit 1"'
systemctl daemon-reload
systemctl start pacemaker.service pacemaker_remote.service`

const (
	labGuardUnit = "guard-under-test"
	startGuard   = "systemd-run --quiet --collect --unit=" + labGuardUnit + " " + cluster.NodeProgramPath + " guard"
	stopGuard    = "systemctl stop " + labGuardUnit
)

// TestLabGuard runs the guard against systemd itself.
func TestLabGuard(t *testing.T) {
	l := newLab(t)
	l.sh(t, labDaemonScript)
	t.Run("bound units", func(t *testing.T) { labBound(t, l) })
	l.sh(t, startGuard)
	t.Run("deaths", func(t *testing.T) { labDaemonDeaths(t, l) })
	t.Run("stops", func(t *testing.T) { labDaemonStops(t, l) })
	t.Run("guard started again", func(t *testing.T) {
		l.sh(t, stopGuard+"; "+startGuard)
		labDaemonDeaths(t, l)
	})
	l.sh(t, stopGuard)
	t.Run("no guard", func(t *testing.T) { labUnguarded(t, l) })
}

func guardedServices() []cluster.Service {
	return []cluster.Service{
		shell("plain", "sleep 999; true"),
		shell("family", `trap "" TERM; (setsid sleep 999 &); (trap "" TERM; sleep 999) & while :; do sleep 1; done`),
		{ID: "daemon", Command: []string{"/usr/bin/memcached", "-d", "-p", "7005", "-P", "PIDFILE"}},
	}
}

func (l lab) startGuarded(t *testing.T) {
	t.Helper()
	for _, s := range guardedServices() {
		l.want(t, "start", s, outcome{})
	}
}

func (l lab) stopGuarded(t *testing.T) {
	t.Helper()
	for _, s := range guardedServices() {
		// What ignores TERM takes its time otherwise.
		l.sh(t, "systemctl kill --signal=KILL "+cluster.UnitName(s.ID)+" 2>/dev/null || true")
		l.want(t, "stop", s, outcome{})
	}
	l.nothingLeft(t)
}

// awaitGuard waits until the guard watches all daemons as they are now.
func (l lab) awaitGuard(t *testing.T) {
	t.Helper()
	waitFor(t, 10*time.Second, "the guard to watch all daemons", func() (bool, string) {
		said := l.guardSaid(t)
		for _, name := range []string{"corosync", "pacemaker-based", "pacemaker-controld", "pacemaker-remoted"} {
			pid := l.sh(t, "pidof "+name+" || true")
			if pid == "" || !strings.Contains(said, fmt.Sprintf("watching %.15s (process %s of", name, pid)) {
				return false, fmt.Sprintf("%s is %q; the guard: %s", name, pid, said)
			}
		}
		return true, ""
	})
}

// guardSaid is what the guard that runs now has said.
func (l lab) guardSaid(t *testing.T) string {
	return l.sh(t, `journalctl --output=cat _SYSTEMD_INVOCATION_ID=$(systemctl show --property=InvocationID --value `+labGuardUnit+`)`)
}

// mainPIDs are the main processes of the services.
func (l lab) mainPIDs(t *testing.T) (pids []string) {
	t.Helper()
	for _, s := range guardedServices() {
		pids = append(pids, l.mainPID(t, s.ID))
	}
	return pids
}

// processesLeft are those of the services' user.
func (l lab) processesLeft(t *testing.T) string {
	return l.sh(t, "pgrep --list-full --euid "+labUser+" || true")
}

func labDaemonDeaths(t *testing.T, l lab) {
	for _, name := range []string{"corosync", "pacemaker-controld", "pacemaker-based", "pacemaker-remoted"} {
		l.awaitGuard(t)
		l.startGuarded(t)
		before := len(l.guardSaid(t))
		pid := l.sh(t, "pidof "+name)
		l.sh(t, "kill -KILL "+pid)
		waitFor(t, time.Second, "all services to be dead", func() (bool, string) {
			left := l.processesLeft(t)
			return left == "", left
		})
		waitFor(t, 5*time.Second, "the guard to say so", func() (bool, string) {
			said := l.guardSaid(t)[before:]
			return strings.Contains(said, fmt.Sprintf("%.15s (process %s of", name, pid)) &&
				strings.Contains(said, "died: killed sirikata-") && strings.Contains(said, "nothing of them was left after"), said
		})
		t.Logf("%s", strings.TrimSpace(l.guardSaid(t)[before:]))
		l.stopGuarded(t)
	}
}

// labDaemonStops stops and restarts Pacemaker with systemctl. This one does not
// stop services, so it is as one that was told to leave them.
func labDaemonStops(t *testing.T, l lab) {
	l.awaitGuard(t)
	l.startGuarded(t)
	before := len(l.guardSaid(t))
	pids := l.mainPIDs(t)
	for _, command := range []string{"restart pacemaker.service", "stop pacemaker.service", "start pacemaker.service", "restart pacemaker_remote.service", "restart corosync.service"} {
		begin := time.Now()
		l.sh(t, "systemctl "+command)
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("systemctl %s took %v", command, took)
		}
		if !strings.HasPrefix(command, "stop ") {
			l.awaitGuard(t)
		}
	}
	if now := l.mainPIDs(t); !slices.Equal(now, pids) {
		t.Errorf("main processes were %v, are %v", pids, now)
	}
	if said := l.guardSaid(t)[before:]; strings.Contains(said, "died: killed") {
		t.Errorf("the guard killed: %s", said)
	}
	l.stopGuarded(t)
}

// labBound has systemd alone stop services.
func labBound(t *testing.T, l lab) {
	s := guardedServices()[0]
	for _, name := range []string{"corosync", "pacemaker-remoted"} {
		l.want(t, "start", s, outcome{})
		l.sh(t, "kill -KILL $(pidof "+name+")")
		waitFor(t, time.Second, "the service to be stopped after the death of "+name, func() (bool, string) {
			left := l.processesLeft(t)
			return left == "", left
		})
		l.want(t, "stop", s, outcome{})
	}
	// Nothing is started with a service (a stop in the midst of a start is a failure), and nothing is started again by systemd.
	l.sh(t, "systemctl stop pacemaker.service corosync.service pacemaker_remote.service")
	l.want(t, "start", s, outcome{})
	for _, unit := range []string{corosyncUnit, pacemakerUnit, remoteUnit} {
		if state := l.sh(t, "systemctl is-active "+unit+" || true"); state != "inactive" && state != "failed" {
			t.Errorf("%s is %s after the start of a service", unit, state)
		}
	}
	l.sh(t, "systemctl start pacemaker.service pacemaker_remote.service")
	l.want(t, "monitor", s, outcome{})
	l.want(t, "stop", s, outcome{})
}

// labUnguarded shows what the guard is for: nobody else stops the services.
func labUnguarded(t *testing.T, l lab) {
	l.startGuarded(t)
	pids := l.mainPIDs(t)
	l.sh(t, "kill -KILL $(pidof pacemaker-based)")
	waitFor(t, 5*time.Second, "another pacemaker-based", func() (bool, string) {
		pid := l.sh(t, "pidof pacemaker-based || true")
		return pid != "", pid
	})
	if now := l.mainPIDs(t); !slices.Equal(now, pids) {
		t.Errorf("main processes were %v, are %v", pids, now)
	}
	l.stopGuarded(t)
}
