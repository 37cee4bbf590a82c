package referee

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// worked are the beats of one process from one time to another, in milliseconds.
func worked(service, node, id string, from, to int) (beats []Beat) {
	for ms := from; ms <= to; ms += 25 {
		beats = append(beats, Beat{service, node, id, time.Duration(ms) * time.Millisecond})
	}
	return beats
}

// sequence is a timeline of beats in the order in which they arrived.
func sequence(parts ...[]Beat) (beats []Beat) {
	for _, part := range parts {
		beats = append(beats, part...)
	}
	return beats
}

// viewOf is what a referee knows after the beats.
func viewOf(t *testing.T, at int, beats []Beat) View {
	t.Helper()
	known := map[string]*Incarnation{}
	for _, b := range beats {
		if known[b.Incarnation] == nil {
			known[b.Incarnation] = &Incarnation{ID: b.Incarnation, Service: b.Service, Node: b.Node}
		}
		known[b.Incarnation].add(b.Clock)
	}
	return newView(time.Duration(at)*time.Millisecond, known)
}

// timelines are the cases that there are; A is always the older.
var timelines = []struct {
	name    string
	beats   []Beat
	doubles string // "older younger held beside" in milliseconds
	outages string // from 1,000 ms on: "from to", to the view if it is not over
}{
	{
		name:    "one process",
		beats:   worked("s", "n0", "A", 0, 5000),
		doubles: "", outages: "",
	}, {
		name:    "killed and started elsewhere",
		beats:   sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n1", "B", 3000, 5000)),
		doubles: "", outages: "[1000 3000]",
	}, {
		name:    "killed and started elsewhere before we look",
		beats:   sequence(worked("s", "n0", "A", 0, 400), worked("s", "n1", "B", 700, 5000)),
		doubles: "", outages: "",
	}, {
		name:    "killed and not started",
		beats:   worked("s", "n0", "A", 0, 1500),
		doubles: "", outages: "[1500 …5000]",
	}, {
		name:    "relieved at once",
		beats:   sequence(worked("s", "n0", "A", 0, 2000), worked("s", "n1", "B", 2010, 4985)),
		doubles: "", outages: "[2000 2010]",
	}, {
		name:    "cut off: both work, then the older ends",
		beats:   sequence(worked("s", "n0", "A", 0, 4000), worked("s", "n1", "B", 3000, 5000)),
		doubles: "[A B 1000 1000]", outages: "",
	}, {
		name:    "cut off: both work, then the younger ends",
		beats:   sequence(worked("s", "n0", "A", 0, 5000), worked("s", "n1", "B", 3000, 3500)),
		doubles: "[A B 500 500]", outages: "",
	}, {
		name:    "one beat too many",
		beats:   sequence(worked("s", "n0", "A", 0, 3000), worked("s", "n1", "B", 3000, 5000)),
		doubles: "[A B 0 0]", outages: "",
	}, {
		name: "frozen, replaced, awake again for a moment",
		beats: sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n1", "B", 3000, 5000),
			worked("s", "n0", "A", 4000, 4100)),
		doubles: "[A B 1100 100]", outages: "[1000 3000]",
	}, {
		name: "frozen, replaced, awake again after the younger has gone",
		beats: sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n1", "B", 2000, 3000),
			worked("s", "n0", "A", 4000, 5000)),
		doubles: "[A B 1000 0]", outages: "[1000 2000] [3000 4000]",
	}, {
		name:    "frozen, replaced, killed before it woke",
		beats:   sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n1", "B", 3000, 5000)),
		doubles: "", outages: "[1000 3000]",
	}, {
		name:    "frozen for long and not replaced",
		beats:   sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n0", "A", 3000, 5000)),
		doubles: "", outages: "[1000 3000]",
	}, {
		name:    "held up for a moment by a busy machine",
		beats:   sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n0", "A", 1900, 5000)),
		doubles: "", outages: "",
	}, {
		name: "last beats arrive after the first of the next",
		beats: sequence(worked("s", "n0", "A", 0, 500), worked("s", "n1", "B", 3000, 5000),
			worked("s", "n0", "A", 525, 1000)),
		doubles: "", outages: "[1000 3000]",
	}, {
		name: "three at once",
		beats: sequence(worked("s", "n0", "A", 0, 4000), worked("s", "n1", "B", 2000, 4000),
			worked("s", "n2", "C", 3000, 5000)),
		doubles: "[A B 2000 2000] [A C 1000 1000] [B C 1000 1000]", outages: "",
	}, {
		name: "two copies on one node",
		beats: sequence(worked("s", "n0", "A", 0, 4000),
			worked("s", "n0", "B", 3000, 5000)),
		doubles: "[A B 1000 1000]", outages: "",
	}, {
		name: "two services",
		beats: sequence(worked("s", "n0", "A", 0, 5000),
			worked("t", "n0", "B", 1000, 5000)),
		doubles: "", outages: "",
	},
}

func TestJudge(t *testing.T) {
	const ms = time.Millisecond
	for _, line := range timelines {
		t.Run(line.name, func(t *testing.T) {
			view := viewOf(t, 5000, line.beats)
			text := ""
			for _, d := range view.Doubles() {
				text += fmt.Sprintf(" [%s %s %d %d]", d.Older.ID, d.Younger.ID, d.Held/ms, d.Beside/ms)
			}
			if want := spaced(line.doubles); text != want {
				t.Errorf("held twice:%s, not%s", text, want)
			}
			text = ""
			for _, o := range view.Outages("s", time.Second, time.Second) {
				to := fmt.Sprint(int(o.To / ms))
				if !o.Over {
					to = "…" + to
				}
				text += fmt.Sprintf(" [%d %s]", o.From/ms, to)
			}
			if want := spaced(line.outages); text != want {
				t.Errorf("outages:%s, not%s", text, want)
			}
		})
	}
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}

// TestOrderDoesNotMatter gives the beats of each case in random orders.
func TestOrderDoesNotMatter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, line := range timelines {
		want := fmt.Sprintf("%+v", viewOf(t, 5000, line.beats))
		for range 20 {
			beats := append([]Beat{}, line.beats...)
			random.Shuffle(len(beats), func(i, j int) { beats[i], beats[j] = beats[j], beats[i] })
			if got := fmt.Sprintf("%+v", viewOf(t, 5000, beats)); got != want {
				t.Fatalf("%s: in another order\n%s\nnot\n%s", line.name, got, want)
			}
		}
	}
}

func TestWorking(t *testing.T) {
	view := viewOf(t, 5000, sequence(worked("s", "n0", "A", 0, 4000), worked("s", "n1", "B", 3000, 4900), worked("t", "n1", "C", 0, 5000)))
	for while, want := range map[time.Duration]string{50 * time.Millisecond: "", 500 * time.Millisecond: "B", 1500 * time.Millisecond: "AB"} {
		got := ""
		for _, i := range view.Working("s", while) {
			got += i.ID
		}
		if got != want {
			t.Errorf("within the last %v %q worked, not %q", while, got, want)
		}
	}
}

func TestDoubleTells(t *testing.T) {
	view := viewOf(t, 5000, sequence(worked("s", "n0", "A", 0, 1000), worked("s", "n1", "B", 3000, 5000), worked("s", "n0", "A", 4000, 4100)))
	doubles := view.Doubles()
	if len(doubles) != 1 {
		t.Fatalf("%d doubles", len(doubles))
	}
	want := "lease of s held twice for 1.10 s (0.10 s of it both worked): by A on n0 from 0.00 s to 4.10 s, and by B on n1 from 3.00 s to 5.00 s"
	if got := doubles[0].String(); got != want {
		t.Errorf("it tells\n%s\nnot\n%s", got, want)
	}
	if got := doubles[0].Key(); got != "A B" {
		t.Errorf("its key is %q", got)
	}
}
