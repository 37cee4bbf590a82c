package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// guard kills all services of this node when a daemon dies without which the
// rest of the cluster does not see what runs here: the others then start a
// second copy of each, within milliseconds (Pacemaker's daemons) or after the
// detection time (Corosync).
//
// It is best effort. Nothing of it helps where this node is only cut off or
// frozen: for that there is fencing.
type guard struct {
	systemd guardedSystemd
	watch   func(pids []uint32) (watcher, error)
	inspect func(pid uint32) (process, error)
	log     io.Writer // the journal

	daemons []daemon // that are watched
	leaving []daemon // those whose unit was being stopped at the last death
	watcher watcher  // of all of them; nil when there are none
	trouble string   // what was last complained about
}

// guardedSystemd is what the guard asks of systemd.
type guardedSystemd interface {
	// units returns the loaded units whose names match a pattern (fnmatch(3)),
	// as they are at one moment.
	units(ctx context.Context, patterns ...string) ([]listedUnit, error)
	state(ctx context.Context, unit string) (unitState, error)
	processes(ctx context.Context, unit string) ([]uint32, error)
	kill(ctx context.Context, unit string) error
	close()
}

var _ guardedSystemd = (*systemd)(nil)

// Pauses between two looks for daemons that are not watched yet.
const (
	shortestPause = 20 * time.Millisecond // doubled each time, after a death
	longestPause  = time.Second           // while a daemon is missing
	// completePause is for when all are there. A daemon that is new then has
	// come beside one that is watched.
	completePause = 10 * time.Second
)

// runGuard guards until the process is killed. SIGTERM keeps its default action:
// a guard that ends leaves nothing behind.
func runGuard(ctx context.Context, p Process) {
	if err := lockMemory(); err != nil {
		fmt.Fprintf(p.Stderr, "keep in memory: %v; going on\n", err)
	}
	g := &guard{
		systemd: &systemd{wait: connectWait},
		watch:   openProcesses,
		inspect: readProcess,
		log:     p.Stderr,
	}
	defer g.systemd.close()
	g.run(ctx)
}

func (g *guard) run(ctx context.Context) {
	pause := shortestPause
	for ctx.Err() == nil {
		dead, err := g.look(ctx)
		g.complain(err)
		if len(dead) == 0 {
			dead = g.wait(ctx, pause)
		}
		switch {
		case len(dead) > 0:
			g.react(ctx, dead)
			g.forget(dead)
			pause = shortestPause
		case pause >= longestPause && complete(g.daemons):
			pause = completePause
		default:
			pause = min(2*pause, longestPause)
		}
	}
}

// complain says what goes wrong, once.
func (g *guard) complain(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != g.trouble && text != "" {
		fmt.Fprintln(g.log, text)
	}
	g.trouble = text
}

// look finds the daemons that are there and begins to watch those that are new.
// It returns those that were seen but whose process ids belong to others by now;
// those whose process ids belong to none are for wait to report. A daemon that
// is watched stays so, whatever systemd says, until it is dead.
func (g *guard) look(ctx context.Context) (dead []daemon, err error) {
	found, err := findDaemons(ctx, g.systemd, g.inspect)
	all := slices.Clone(g.daemons)
	for _, d := range found {
		if !slices.Contains(all, d) {
			all = append(all, d)
			fmt.Fprintf(g.log, "watching %v\n", d)
		}
	}
	if len(all) == 0 || g.watcher != nil && len(all) == len(g.daemons) {
		return nil, err
	}
	pids := make([]uint32, len(all))
	for i, d := range all {
		pids[i] = d.pid
	}
	next, watchErr := g.watch(pids)
	if watchErr != nil {
		return nil, errors.Join(err, watchErr)
	}
	g.forget(nil)
	g.watcher, g.daemons = next, all
	for _, d := range all {
		if now, err := g.inspect(d.pid); err == nil && now.name != d.name {
			dead = append(dead, d)
		}
	}
	return dead, err
}

// forget ends watching, until the next look, and drops the dead.
func (g *guard) forget(dead []daemon) {
	if g.watcher != nil {
		g.watcher.close()
		g.watcher = nil
	}
	g.daemons = slices.DeleteFunc(g.daemons, func(d daemon) bool { return slices.Contains(dead, d) })
}

// wait waits for the death of a daemon, and returns after the pause without one.
func (g *guard) wait(ctx context.Context, pause time.Duration) (dead []daemon) {
	waiting, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	if g.watcher == nil {
		<-waiting.Done()
		return nil
	}
	pids, err := g.watcher.wait(waiting)
	if err != nil {
		g.complain(fmt.Errorf("watch %v: %w", g.daemons, err))
		<-waiting.Done()
	}
	for _, d := range g.daemons {
		if slices.Contains(pids, d.pid) {
			dead = append(dead, d)
		}
	}
	return dead
}
