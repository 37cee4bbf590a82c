package drill

import (
	"fmt"
	"time"

	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

// Tally counts what came of all faults.
type Tally struct {
	Seed          uint64
	Faults        int
	Doubles       int // leases held twice
	Lost          int // services that did not come back in time
	Slowest       time.Duration
	SlowestOf     string // the service
	SlowestNumber int    // the fault
}

// String is the last line of a drill.
func (t Tally) String() string {
	text := fmt.Sprintf("drill: %d faults, leases held twice: %d, services lost: %d, slowest recovery: %.1f s",
		t.Faults, t.Doubles, t.Lost, t.Slowest.Seconds())
	if t.SlowestOf != "" {
		text += fmt.Sprintf(" (%s, fault %d)", t.SlowestOf, t.SlowestNumber)
	}
	return text + fmt.Sprintf("; seed %d", t.Seed)
}

// Recovery is how long a service took to come back.
type Recovery struct {
	Service string
	Took    time.Duration
	Over    bool // false if it is not back
}

// slack is how long a process may pause without that being an outage: less than
// it takes to notice a lost node.
const slack = time.Second

// Recoveries are how long the services that a fault hit took to come back. The
// times, in order, are those at which the drill did something: began the fault,
// or ended it. A service that went down after such a time took from that time
// until the last of its outages that began before the next such time was over.
func (c Cluster) Recoveries(v referee.View, times []time.Duration) (recoveries []Recovery) {
	for _, id := range c.Services {
		worst := Recovery{Service: id, Over: true}
		for _, o := range v.Outages(id, times[0], slack) {
			began := times[0]
			for _, each := range times {
				// The last beat before an outage may be from just before its cause.
				if each <= o.From+referee.BeatPause {
					began = each
				}
			}
			worst.Took = max(worst.Took, o.To-began)
			worst.Over = worst.Over && o.Over
		}
		if worst.Took > 0 {
			recoveries = append(recoveries, worst)
		}
	}
	return recoveries
}

// Add takes the recoveries of a fault into the tally.
func (t *Tally) Add(number int, recoveries []Recovery) {
	for _, r := range recoveries {
		if r.Over && r.Took > t.Slowest {
			t.Slowest, t.SlowestOf, t.SlowestNumber = r.Took, r.Service, number
		}
	}
}
