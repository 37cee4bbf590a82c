//go:build lab

package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/e2e/drill"
)

// What drills there are: docs/drills.md.
var (
	drillFaults   = flag.Int("drill.faults", 10, "how many faults")
	drillSeed     = flag.Uint64("drill.seed", 7, "what the faults are made from; 0 is by chance")
	drillNodes    = flag.Int("drill.nodes", 7, "how many nodes")
	drillFull     = flag.Int("drill.full", 5, "how many of them are full nodes")
	drillServices = flag.Int("drill.services", 12, "how many services")
	drillFencing  = flag.Bool("drill.fencing", true, "with fencing; without it leases are held twice")
	drillDeadline = flag.Duration("drill.deadline", 2*time.Minute, "how long the cluster may take to get over a fault")
)

// calm is for how long all must be well before a fault counts as got over:
// longer than it takes to notice that a node is lost, or what just broke would
// look well.
const calm = 4 * time.Second

// TestDrill breaks one thing after the other, as docs/drills.md tells.
func TestDrill(t *testing.T) {
	t.Parallel()
	seed := *drillSeed
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	d := newDrill(t, seed)
	plan := drill.Plan(seed, *drillFaults, d.Cluster)
	for _, fault := range plan {
		d.say("fault %d of %d: %v", fault.Number, len(plan), fault)
		if !d.play(fault) {
			t.Errorf("the cluster did not get well by a boot either: the drill ends after %d of %d faults", fault.Number, len(plan))
			break
		}
	}
	d.say("%v", d.tally)
}

// drillRun is one drill.
type drillRun struct {
	*leases
	t        *testing.T
	peers    map[string]string // of each node: the addresses of all others
	tally    drill.Tally
	evidence string // a directory, once there is any
}

// say tells the story, without the place in the code that t.Log would add.
func (d *drillRun) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.t.Output(), format+"\n", args...)
}

// play makes one fault and waits until it is got over. What is wrong fails the
// test, but the drill goes on if the cluster can be mended as a person would.
func (d *drillRun) play(f drill.Fault) (goOn bool) {
	begin := time.Now()
	script := d.start(f)
	watched := d.watch(script, *drillDeadline)
	view := d.referee.View()
	d.tally.Faults++
	problems := append(script.problems, watched.lies...)
	for _, double := range d.newDoubles(view) {
		d.tally.Doubles++
		problems = append(problems, double.String())
	}
	if err := d.referee.Faults(); err != nil {
		problems = append(problems, err.Error())
	}
	for _, id := range d.Services {
		if len(watched.missing) > 0 && len(view.Working(id, calm)) == 0 {
			d.tally.Lost++
		}
	}
	for _, each := range watched.missing {
		problems = append(problems, fmt.Sprintf("%v after the fault was over: %s", *drillDeadline, each))
	}
	recoveries := d.Recoveries(view, script.times)
	d.tally.Add(f.Number, recoveries)
	d.say("  %.1f s; %s", time.Since(begin).Seconds(), describe(recoveries))
	if len(problems) > 0 {
		d.fail(f, problems, view)
	}
	return len(watched.missing) == 0 || d.rescue()
}

func describe(recoveries []drill.Recovery) string {
	var texts []string
	slices.SortFunc(recoveries, func(a, b drill.Recovery) int { return int(a.Took - b.Took) })
	for _, r := range recoveries {
		text := fmt.Sprintf("%s after %.2f s", r.Service, r.Took.Seconds())
		if !r.Over {
			text = r.Service + " never"
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return "no service was interrupted"
	}
	return "back: " + strings.Join(texts, ", ")
}

// rescue mends the cluster with the command that a person would use.
func (d *drillRun) rescue() bool {
	d.say("  it needs a person: local nodes boot")
	r := d.c.boot(d.t)
	if r.code != 0 {
		d.say("  %v", r)
		return false
	}
	watched := d.watch(over(), *drillDeadline)
	d.newDoubles(d.referee.View()) // what comes of mending is no fault's
	if len(watched.missing) > 0 {
		d.say("  after it: %s", strings.Join(watched.missing, "; "))
	}
	return len(watched.missing) == 0
}
