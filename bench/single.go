package main

import (
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// oneMore measures single commands beside many services: on a cluster at rest, and
// right after one another, when the cluster still works at what was before.
func (b *bench) oneMore(beside string) error {
	const goal, limit = 800 * time.Millisecond, 1500 * time.Millisecond
	added, removed, err := b.addAndRemove(settle)
	if err != nil {
		return err
	}
	b.report(row{what: "add a service " + beside, ours: added, goal: goal, limit: limit})
	b.report(row{what: "remove a service " + beside, ours: removed, goal: goal, limit: limit})
	added, removed, err = b.addAndRemove(func() error { return nil })
	if err != nil {
		return err
	}
	b.report(row{what: "add a service right after one was removed, " + beside, ours: added})
	b.report(row{what: "remove a service right after it was added, " + beside, ours: removed})
	shown, err := repeat(b.runs, func(int) (time.Duration, error) { return timed("status", name) })
	b.report(row{what: "`status` " + beside, ours: shown, limit: time.Second})
	return err
}

// addOne adds one service to those that are there.
func addOne() (time.Duration, error) {
	return timed("add", "service", name, "x", cluster.Any, "--force-daemonize", "--", "/bin/sleep", "1000")
}

// addAndRemove adds a service and removes it again, over and over, and calls ready
// before each.
func (b *bench) addAndRemove(ready func() error) (added, removed sample, err error) {
	added, err = repeat(b.runs, func(int) (time.Duration, error) {
		if err := ready(); err != nil {
			return 0, err
		}
		took, err := addOne()
		if err == nil {
			err = ready()
		}
		if err != nil {
			return 0, err
		}
		away, err := timed("remove", "service", name, "x")
		removed = append(removed, away)
		return took, err
	})
	return added, removed, err
}
