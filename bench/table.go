package main

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// row is one line of the table.
type row struct {
	what  string
	ours  fmt.Stringer
	goal  time.Duration // what we would like
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

// text is a result that is not a time.
type text string

func (t text) String() string { return string(t) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
		if len(r.peers) == 0 {
			fmt.Printf("| %s | %v | %s | - | - |\n", r.what, r.ours, r.limits())
		}
		for _, p := range r.peers {
			fmt.Printf("| %s | %v | %s | %s: %v | %s |\n", r.what, r.ours, r.limits(), p.name, p.sample, r.ratio(p))
		}
	}
}

// limits says what we set ourselves, and whether we kept it.
func (r row) limits() string {
	if r.limit == 0 {
		return "-"
	}
	said := fmt.Sprint(r.limit)
	if r.goal > 0 {
		said += fmt.Sprintf(", wanted %v", r.goal)
	}
	if ours, ok := r.ours.(sample); ok && ours.median() > r.limit {
		said += ": missed"
	}
	return said
}

// ratio is how many times as long a peer takes.
func (r row) ratio(p peer) string {
	ours, ok := r.ours.(sample)
	if !ok || ours.median() == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(p.sample.median())/float64(ours.median()))
}
