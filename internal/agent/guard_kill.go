package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Limits of a reaction to a death.
const (
	// reactLimit is for how long it is tried when systemd does not answer.
	reactLimit = 30 * time.Second
	killPause  = 5 * time.Millisecond
	// aftermath is for how long a start that was under way may still come. It is
	// shorter than a new controller takes to start anything.
	aftermath = 50 * time.Millisecond
)

// react kills the services, unless the daemons were stopped by somebody: then
// Pacemaker stopped the services before, or was told to leave them.
func (g *guard) react(ctx context.Context, dead []daemon) {
	begin := time.Now()
	reacting, cancel := context.WithTimeout(ctx, reactLimit)
	defer cancel()
	k := killing{systemd: g.systemd, dead: dead, begin: begin}
	err := poll(reacting, killPause, func() (bool, error) {
		done, err := k.pass(reacting)
		g.complain(err)
		return done && err == nil, nil
	})
	fmt.Fprintf(g.log, "%s died: %s\n", names(dead), k.summary())
	if err != nil {
		fmt.Fprintf(g.log, "gave up after %v: services may still run\n", reactLimit)
	}
}

func names(daemons []daemon) string {
	texts := make([]string, len(daemons))
	for i, d := range daemons {
		texts[i] = d.String()
	}
	return strings.Join(texts, ", ")
}

// killing is one reaction.
type killing struct {
	systemd guardedSystemd
	dead    []daemon
	begin   time.Time

	stopped bool          // it was somebody who stopped them
	swept   bool          // all units were killed once
	killed  []string      // units that ran
	sent    time.Duration // after which all were killed
	gone    time.Duration // after which nothing of them was left
}

// pass kills what runs, and reports whether nothing is left to do.
func (k *killing) pass(ctx context.Context) (done bool, err error) {
	units, err := k.systemd.units(ctx, cluster.UnitName("*"), corosyncUnit, pacemakerUnit, remoteUnit)
	if err != nil {
		return false, err
	}
	if !k.swept && wasStopped(units, k.dead) {
		k.stopped = true
		return true, nil
	}
	busy := false
	var faults []error
	for _, unit := range units {
		phase := unit.state.phase()
		runs := phase == running || phase == changing
		// The first time also units that are said to be dead: a process may have
		// outlived its service's main one.
		if unit.ofDaemon() || k.swept && !runs {
			continue
		}
		if err := k.systemd.kill(ctx, unit.name); err != nil {
			faults = append(faults, fmt.Errorf("kill %s: %w", unit.name, err))
		}
		if runs {
			busy = true
			k.add(unit.name)
		}
	}
	if len(faults) > 0 {
		return false, errors.Join(faults...)
	}
	k.swept = true
	if !busy && k.gone == 0 {
		k.gone = time.Since(k.begin)
	}
	return !busy && time.Since(k.begin) >= aftermath, nil
}

func (k *killing) add(unit string) {
	if !slices.Contains(k.killed, unit) {
		k.killed = append(k.killed, unit)
		k.sent, k.gone = time.Since(k.begin), 0
	}
}

func (k *killing) summary() string {
	switch {
	case k.stopped:
		return "it was stopped, nothing is killed"
	case len(k.killed) == 0:
		return "no service ran"
	}
	tenth := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	text := fmt.Sprintf("killed %s, all within %v", strings.Join(k.killed, ", "), tenth(k.sent))
	if k.gone > 0 {
		text += fmt.Sprintf(", and nothing of them was left after %v", tenth(k.gone))
	}
	return text
}

// wasStopped reports whether all of the dead were stopped through systemd: a
// unit that is being stopped or restarted has a job for that, and one that was
// stopped is inactive. One that died has failed, or waits to be started again,
// which takes longer than it takes to get here.
func wasStopped(units []listedUnit, dead []daemon) bool {
	return !slices.ContainsFunc(dead, func(d daemon) bool {
		i := slices.IndexFunc(units, func(u listedUnit) bool { return u.name == d.unit })
		if i < 0 {
			return false // systemd forgets only what has been stopped
		}
		unit := units[i]
		// The job of a restart becomes one of a start once the unit is stopped.
		asked := slices.Contains([]string{"stop", "restart", "start"}, unit.job) && unit.state.sub != "auto-restart"
		return !asked && unit.state.active != "inactive"
	})
}
