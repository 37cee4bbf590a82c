package referee

import (
	"cmp"
	"slices"
	"time"
)

const (
	// BeatPause is the time between two beats of a process.
	BeatPause = 25 * time.Millisecond
	// stretchGap is the longest pause between two beats that still counts as
	// work without interruption. A busy machine makes pauses, too.
	stretchGap = 10 * BeatPause
)

// Stretch is a time in which a process worked without interruption.
type Stretch struct{ From, To time.Duration }

// Incarnation is what is known of one process.
type Incarnation struct {
	ID      string
	Service string
	Node    string
	Beats   int
	// Stretches are in order and do not touch. There is at least one.
	Stretches []Stretch
}

// First is when the process worked for the first time.
func (i Incarnation) First() time.Duration { return i.Stretches[0].From }

// Last is when the process worked for the last time that is known.
func (i Incarnation) Last() time.Duration { return i.Stretches[len(i.Stretches)-1].To }

// add takes a beat in, whatever the order in which beats come.
func (i *Incarnation) add(clock time.Duration) {
	i.Beats++
	at := len(i.Stretches) // of the first stretch that begins later
	for at > 0 && i.Stretches[at-1].From > clock {
		at--
	}
	i.Stretches = slices.Insert(i.Stretches, at, Stretch{clock, clock})
	i.join(at)
	if at > 0 {
		i.join(at - 1)
	}
}

// join makes the stretch at that place and the next one if they are close.
func (i *Incarnation) join(at int) {
	if at+1 >= len(i.Stretches) || i.Stretches[at+1].From-i.Stretches[at].To > stretchGap {
		return
	}
	i.Stretches[at].To = max(i.Stretches[at].To, i.Stretches[at+1].To)
	i.Stretches = slices.Delete(i.Stretches, at+1, at+2)
}

// View is what was known at a moment.
type View struct {
	At time.Duration // by [Now]
	// Incarnations are in the order of their first beats.
	Incarnations []Incarnation
}

// newView makes a view of beats in any order.
func newView(at time.Duration, known map[string]*Incarnation) View {
	v := View{At: at}
	for _, i := range known {
		copied := *i
		copied.Stretches = slices.Clone(i.Stretches)
		v.Incarnations = append(v.Incarnations, copied)
	}
	slices.SortFunc(v.Incarnations, func(a, b Incarnation) int {
		return cmp.Or(cmp.Compare(a.First(), b.First()), cmp.Compare(a.ID, b.ID))
	})
	return v
}

// Of are the incarnations of one service.
func (v View) Of(service string) (found []Incarnation) {
	for _, i := range v.Incarnations {
		if i.Service == service {
			found = append(found, i)
		}
	}
	return found
}

// Working are the incarnations of a service that worked within the last while.
func (v View) Working(service string, while time.Duration) (found []Incarnation) {
	for _, i := range v.Of(service) {
		if v.At-i.Last() <= while {
			found = append(found, i)
		}
	}
	return found
}
