// Command bench measures what the README says of speed: the same work done by
// sirikata-cluster and by a peer, on the same cluster, in one run. It prints
// tables in Markdown. It needs root, a container engine and bin/sirikata-cluster
// (make build), and an otherwise idle machine.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// bench is one run.
type bench struct {
	runs      int
	onlyLarge bool
	rows      []row
}

// row is one line of the table.
type row struct {
	what  string
	ours  sample
	limit time.Duration // beyond it we fail our own goal
	peers []peer
}

type peer struct {
	name   string
	sample sample
}

// sample is what several runs of one thing took.
type sample []time.Duration

func (s sample) median() time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

func (s sample) String() string {
	if len(s) == 0 {
		return "-"
	}
	unit := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	return fmt.Sprintf("%s s (%s–%s, %d runs)", unit(s.median()), unit(slices.Min(s)), unit(slices.Max(s)), len(s))
}

func main() {
	b := &bench{}
	flag.IntVar(&b.runs, "runs", 7, "runs of each measurement")
	flag.BoolVar(&b.onlyLarge, "large", false, "only a cluster of 43 nodes with 200 services")
	flag.Parse()
	if err := b.all(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	b.print()
}

// all does every measurement. Clusters are taken down on the way out.
func (b *bench) all() error {
	home, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()
	if err := os.Setenv("SIRIKATA_CLUSTER_HOME", home); err != nil {
		return err
	}
	defer takeDown()
	if _, err := program("local", "image", "build"); err != nil {
		return err
	}
	measures := []func() error{b.start, b.boot, b.add, b.parallel, b.redis, b.monitor, b.death, b.failover}
	if b.onlyLarge {
		measures = []func() error{b.large}
	}
	for _, measure := range measures {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) report(r row) {
	b.rows = append(b.rows, r)
	fmt.Fprintf(os.Stderr, "%s: %v\n", r.what, r.ours)
	for _, p := range r.peers {
		fmt.Fprintf(os.Stderr, "  %s: %v\n", p.name, p.sample)
	}
}

func (b *bench) print() {
	fmt.Println("| what | ours, median | at most | peer, median | peer ÷ ours |")
	fmt.Println("|---|---|---|---|---|")
	for _, r := range b.rows {
		limit := "-"
		if r.limit > 0 {
			limit = fmt.Sprint(r.limit)
		}
		if len(r.peers) == 0 {
			fmt.Printf("| %s | %v | %s | - | - |\n", r.what, r.ours, limit)
		}
		for _, p := range r.peers {
			ratio := float64(p.sample.median()) / float64(r.ours.median())
			fmt.Printf("| %s | %v | %s | %s: %v | %.1f |\n", r.what, r.ours, limit, p.name, p.sample, ratio)
		}
	}
}
