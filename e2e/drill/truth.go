package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

const (
	// Fresh is how old the last beat of a process that works may be.
	Fresh = 500 * time.Millisecond
	// lag is how long status may take to know what happened: the detection time
	// of either role, and the time that fencing and a start take.
	lag = 10 * time.Second
)

// Missing says what keeps the cluster from being as it was before the fault, by
// what it says of itself and by what the referee hears; nil if nothing does.
func (c Cluster) Missing(s cluster.Status, v referee.View) (missing []string) {
	add := func(format string, args ...any) { missing = append(missing, fmt.Sprintf(format, args...)) }
	if !s.Quorate {
		add("there is no quorum")
	}
	for _, warning := range s.Warnings {
		add("status warns: %s", warning)
	}
	if s.Fencing != c.Fencing {
		add("status says of fencing: %v", s.Fencing)
	}
	if len(s.Nodes) != len(c.Nodes) {
		add("status shows %d nodes, not %d", len(s.Nodes), len(c.Nodes))
	}
	for _, want := range c.Nodes {
		at := slices.IndexFunc(s.Nodes, func(n cluster.Node) bool { return n.Name == want.Name })
		switch {
		case at < 0:
			add("status does not show %s", want.Name)
		case s.Nodes[at].State != cluster.Online || s.Nodes[at].Role != want.Role:
			add("%s is %s, as a %s node", want.Name, s.Nodes[at].State, s.Nodes[at].Role)
		}
	}
	for _, id := range c.Services {
		if problem := wrong(id, s, v); problem != "" {
			add("%s %s", id, problem)
		}
	}
	return missing
}

// wrong says why a service does not run once, where status says, or is "".
func wrong(id string, s cluster.Status, v referee.View) string {
	said, known := s.Service(id)
	var nodes []string
	for _, i := range v.Working(id, Fresh) {
		nodes = append(nodes, i.Node)
	}
	works := "works nowhere"
	if len(nodes) > 0 {
		works = "works on " + strings.Join(nodes, " and ")
	}
	switch {
	case !known:
		return "is not in status, and " + works
	case said.State != cluster.Running:
		return fmt.Sprintf("is %s (%s), and %s", said.State, said.Reason, works)
	case !slices.Equal(nodes, []string{said.Node}):
		return fmt.Sprintf("is running on %s, and %s", said.Node, works)
	}
	return ""
}

// Witness compares what status says, from one time to the next, with what the
// referee knows.
type Witness struct {
	Services []string
	denied   map[string]time.Duration // since when status has said that a service does not run
}

// Lies are what status said that was not so for a while already. Before and
// after are what the referee knew when status was asked and when it answered.
func (w *Witness) Lies(s cluster.Status, before, after referee.View) (lies []string) {
	add := func(format string, args ...any) { lies = append(lies, fmt.Sprintf(format, args...)) }
	for _, id := range w.Services {
		said, known := s.Service(id)
		if !known {
			add("status does not know service %s", id)
			continue
		}
		denied := w.deny(id, said.State != cluster.Running, before.At)
		if said.State != cluster.Running {
			if i, ok := steady(id, before, after); ok && denied > lag {
				add("status has said for more than %v that %s does not run (now: %s), and it works on %s", lag, id, said.State, i.Node)
			}
			continue
		}
		worked := after.Working(id, lag+after.At-before.At)
		if !slices.ContainsFunc(worked, func(i referee.Incarnation) bool { return i.Node == said.Node }) {
			add("status says that %s runs on %s, and for more than %v it has not worked there", id, said.Node, lag)
		}
	}
	return lies
}

// deny notes what status says of a service and returns for how long it has said
// that it does not run.
func (w *Witness) deny(id string, denies bool, now time.Duration) time.Duration {
	if !denies {
		delete(w.denied, id)
		return 0
	}
	if w.denied == nil {
		w.denied = map[string]time.Duration{}
	}
	if _, already := w.denied[id]; !already {
		w.denied[id] = now
	}
	return now - w.denied[id]
}

// steady is the incarnation that worked without interruption from a while
// before the one view until the other, if there is one.
func steady(id string, before, after referee.View) (referee.Incarnation, bool) {
	for _, i := range after.Working(id, Fresh) {
		if last := i.Stretches[len(i.Stretches)-1]; last.From < before.At-lag {
			return i, true
		}
	}
	return referee.Incarnation{}, false
}
