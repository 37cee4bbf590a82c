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
	k := killing{systemd: g.systemd, dead: dead, leaving: g.leaving, begin: begin}
	err := poll(reacting, killPause, func() (bool, error) {
		done, err := k.pass(reacting)
		g.complain(err)
		return done && err == nil, nil
	})
	fmt.Fprintf(g.log, "%s died: %s\n", names(dead), k.summary())
	g.leaving = nil
	if k.stopped {
		// The others of the unit end as well, the last of them perhaps when it is
		// already started again.
		g.leaving = slices.DeleteFunc(slices.Clone(g.daemons), func(d daemon) bool {
			return !slices.ContainsFunc(dead, func(other daemon) bool { return other.unit == d.unit })
		})
	}
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
	leaving []daemon // are being stopped, as is known
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
	if !k.swept {
		if k.stopped, err = k.wereStopped(ctx, units); k.stopped || err != nil {
			return k.stopped, err
		}
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

// wereStopped reports whether all of the dead were stopped through systemd.
func (k *killing) wereStopped(ctx context.Context, units []listedUnit) (bool, error) {
	for _, d := range k.dead {
		if slices.Contains(k.leaving, d) {
			continue
		}
		i := slices.IndexFunc(units, func(u listedUnit) bool { return u.name == d.unit })
		if i < 0 {
			continue // systemd forgets only what has been stopped
		}
		stopped, err := k.wasStopped(ctx, units[i], d)
		if !stopped || err != nil {
			return false, err
		}
	}
	return true, nil
}

// wasStopped reports whether the unit of a dead daemon was stopped: a unit that
// is being stopped or restarted has a job for that, and one that was stopped is
// inactive. One that died has failed, or waits to be started again, which takes
// longer than it takes to get here.
func (k *killing) wasStopped(ctx context.Context, unit listedUnit, d daemon) (bool, error) {
	// The job of a restart becomes one of a start once the unit is stopped.
	asked := slices.Contains([]string{"stop", "restart", "start"}, unit.job) && unit.state.sub != "auto-restart"
	if asked || unit.state.active == "inactive" {
		return true, nil
	}
	if unit.state.active != "active" || d.unit == pacemakerUnit {
		return false, nil
	}
	// The daemon was the main process of its unit. It is so still where systemd
	// does not know of its death; where there is another one by now, the unit was
	// restarted.
	state, err := k.systemd.state(ctx, d.unit)
	return state.phase() == running && state.mainPID != 0 && state.mainPID != d.pid, err
}
