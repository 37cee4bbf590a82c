package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// The time for which is measured, and its limits. The kernel counts processors in
// steps of 10 ms, so the shortest leaves an error of a fifth of a core.
const (
	defaultWindow  = 100 * time.Millisecond
	shortestWindow = 50 * time.Millisecond
	longestWindow  = time.Minute
)

// runLoad prints what Corosync and Pacemaker take of this node, as a
// [cluster.Load] in JSON.
func runLoad(ctx context.Context, p Process, args []string) int {
	window, err := parseWindow(args)
	if err != nil {
		fmt.Fprintln(p.Stderr, "sirikata-node: error: load:", err)
		return exitUsage
	}
	load, err := (meter{daemons: readDaemons, corosync: askCorosync, pause: time.Sleep}).measure(ctx, window)
	if err == nil {
		err = json.NewEncoder(p.Stdout).Encode(load)
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, "sirikata-node: error: load:", err)
		return 1
	}
	return 0
}

func parseWindow(args []string) (time.Duration, error) {
	if len(args) == 0 {
		return defaultWindow, nil
	}
	if len(args) > 1 {
		return 0, errors.New("it takes one time to measure at most")
	}
	window, err := time.ParseDuration(args[0])
	if err != nil || window < shortestWindow || window > longestWindow {
		return 0, fmt.Errorf("%q is not a time to measure: use %v to %v", args[0], shortestWindow, longestWindow)
	}
	return window, nil
}

// meter measures. Its parts are those of this machine, but in tests.
type meter struct {
	daemons  func() (map[int]usage, error) // by process
	corosync func(ctx context.Context, args ...string) counters
	pause    func(time.Duration)
}

// usage is what a daemon has used so far.
type usage struct {
	name string
	cpu  time.Duration // of all its threads
	age  time.Duration
}

// sight is what is seen at one moment.
type sight struct {
	at       time.Time
	daemons  map[int]usage
	corosync counters
}

func (m meter) look(ctx context.Context) (s sight, err error) {
	s.corosync = m.corosync(ctx, "-m", "stats")
	s.at = time.Now()
	s.daemons, err = m.daemons()
	return s, err
}

// measure looks twice, so far apart. A daemon that is not there both times is
// left out.
func (m meter) measure(ctx context.Context, window time.Duration) (cluster.Load, error) {
	before, err := m.look(ctx)
	if err != nil {
		return cluster.Load{}, err
	}
	votes := m.corosync(ctx, "nodelist.").votes()
	m.pause(window)
	after, err := m.look(ctx)
	if err != nil {
		return cluster.Load{}, err
	}
	passed := after.at.Sub(before.at).Seconds()
	load := cluster.Load{Seconds: passed, Daemons: []cluster.DaemonLoad{}}
	for pid, now := range after.daemons {
		was, there := before.daemons[pid]
		if !there || was.name != now.name || now.age <= 0 {
			continue
		}
		load.Daemons = append(load.Daemons, cluster.DaemonLoad{
			Name: now.name, Now: (now.cpu - was.cpu).Seconds() / passed,
			Mean: now.cpu.Seconds() / now.age.Seconds(), AgeSeconds: now.age.Seconds()})
	}
	sort.Slice(load.Daemons, func(i, j int) bool { return load.Daemons[i].Name < load.Daemons[j].Name })
	if len(before.corosync) > 0 && len(after.corosync) > 0 && len(votes) > 0 {
		bytes, again := after.corosync.since(before.corosync)
		load.Corosync = &cluster.CorosyncLoad{Votes: votes,
			BytesPerSecond: float64(bytes) / passed, RetransmitsPerSecond: float64(again) / passed}
	}
	return load, nil
}
