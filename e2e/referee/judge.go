package referee

import (
	"fmt"
	"time"
)

// Double is a lease that two incarnations held at the same time.
type Double struct {
	Older, Younger Incarnation
	// Held is for how long both held the lease in their own eyes.
	Held time.Duration
	// Beside is for how long of it both worked: neither was frozen.
	Beside time.Duration
}

// Key is the same in every view in which the same two hold the lease.
func (d Double) Key() string { return d.Older.ID + " " + d.Younger.ID }

// String tells who held the lease, where, and for how long.
func (d Double) String() string {
	return fmt.Sprintf("lease of %s held twice for %.2f s (%.2f s of it both worked): by %s on %s from %.2f s to %.2f s, and by %s on %s from %.2f s to %.2f s",
		d.Older.Service, d.Held.Seconds(), d.Beside.Seconds(),
		d.Older.ID, d.Older.Node, d.Older.First().Seconds(), d.Older.Last().Seconds(),
		d.Younger.ID, d.Younger.Node, d.Younger.First().Seconds(), d.Younger.Last().Seconds())
}

// Doubles are all pairs of incarnations of one service of which the older
// worked when the younger had begun, in the order in which the younger began.
func (v View) Doubles() (doubles []Double) {
	for at, younger := range v.Incarnations {
		for _, older := range v.Incarnations[:at] {
			if older.Service != younger.Service || older.Last() < younger.First() {
				continue
			}
			doubles = append(doubles, Double{
				Older:   older,
				Younger: younger,
				Held:    min(older.Last(), younger.Last()) - younger.First(),
				Beside:  beside(older.Stretches, younger.Stretches),
			})
		}
	}
	return doubles
}

// beside is for how long both worked.
func beside(a, b []Stretch) (sum time.Duration) {
	for _, s := range a {
		for _, t := range b {
			if both := min(s.To, t.To) - max(s.From, t.From); both > 0 {
				sum += both
			}
		}
	}
	return sum
}

// Outage is a time in which nobody did the work of a service.
type Outage struct {
	Service string
	// From is the last work before it, To the first after it.
	From, To time.Duration
	// Over is false if the work was not taken up again; To is then the time of
	// the view.
	Over bool
}

// Outages are the times after since in which nobody worked for a service that
// had begun before. One that began before since counts if it ended later. When
// a process gives way to another one any pause counts; when the same process
// goes on, one that is longer than slack: a busy machine makes pauses, too.
func (v View) Outages(service string, since, slack time.Duration) (outages []Outage) {
	var worked []run
	for _, i := range v.Of(service) {
		for _, s := range i.Stretches {
			worked = append(worked, run{s, i.ID})
		}
	}
	worked = merge(worked)
	for n, w := range worked {
		o := Outage{Service: service, From: w.To, To: v.At}
		same := true // the last one may only be late with its next beat
		if n+1 < len(worked) {
			o.To, o.Over = worked[n+1].From, true
			same = w.id == worked[n+1].id
		}
		if o.To > since && (!same || o.To-o.From > slack) {
			outages = append(outages, o)
		}
	}
	return outages
}
