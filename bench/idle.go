package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// idle measures what each node of a cluster uses that has nothing to do.
func (b *bench) idle(what string) error {
	if err := settle(); err != nil {
		return err
	}
	now, err := status()
	if err != nil {
		return err
	}
	pids, err := firstPIDs(now.Nodes)
	if err != nil {
		return err
	}
	begin := time.Now()
	before, err := uses(pids)
	if err != nil {
		return err
	}
	time.Sleep(b.idleFor)
	after, err := uses(pids)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, role := range []cluster.Role{cluster.Full, cluster.Remote} {
		var of []use
		for i, node := range now.Nodes {
			if node.Role == role {
				of = append(of, after[i].less(before[i]))
			}
		}
		if len(of) > 0 {
			b.reportUse(fmt.Sprintf("idle, %s: each %s node", what, role), of, took, role == cluster.Full)
		}
	}
	return nil
}

// reportUse reports medians, and the largest share of a processor.
func (b *bench) reportUse(what string, of []use, took time.Duration, corosync bool) {
	each := func(figure func(use) float64) (median, most float64) {
		var all []float64
		for _, u := range of {
			all = append(all, figure(u)/took.Seconds())
		}
		slices.Sort(all)
		return all[len(all)/2], all[len(all)-1]
	}
	cpu, most := each(func(u use) float64 { return 100 * u.cpu.Seconds() })
	said := fmt.Sprintf("%.2f %% of a core (at most %.2f)", cpu, most)
	if corosync {
		share, _ := each(func(u use) float64 { return 100 * u.corosync.Seconds() })
		said += fmt.Sprintf(", %.2f of it Corosync", share)
	}
	in, _ := each(func(u use) float64 { return float64(u.received) })
	out, _ := each(func(u use) float64 { return float64(u.sent) })
	b.report(row{what: what, ours: text(fmt.Sprintf("%s; %.0f bytes/s in, %.0f out", said, in, out))})
}
