package nodegroup

import (
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// CrashReport is what a crash test saw. Times are in seconds from the moment when
// the fault was ordered, and null for what was not seen; the cluster was looked at
// about ten times a second.
type CrashReport struct {
	Cluster string    `json:"cluster"`
	Node    string    `json:"node"`
	Kind    CrashKind `json:"kind"`
	Fencing bool      `json:"fencing"`
	// Broke says in words what was done.
	Broke string `json:"broke"`
	// Noticed is when the cluster no longer took the node, or the service, for
	// well.
	Noticed *float64 `json:"noticed_seconds"`
	// Fenced is when the cluster knew that the node was off.
	Fenced *float64 `json:"fenced_seconds"`
	// Back is when the node was online again, after it was mended.
	Back *float64 `json:"back_seconds"`
	// State is what the node was at the end.
	State cluster.NodeState `json:"state"`
	// Left is true for a fault that was left as it was, and Next says what there
	// is to do by hand; empty if nothing is.
	Left bool   `json:"left"`
	Next string `json:"next"`
	// Services are those that the fault stopped.
	Services []CrashedService `json:"services"`
	// Touched says in words what else happened, and should not have.
	Touched []string `json:"touched"`
	// Faults say in words all that did not go as it should; empty is a pass.
	Faults []string `json:"faults"`
}

// CrashedService is a service that a crash test stopped.
type CrashedService struct {
	ID    string `json:"id"`
	From  string `json:"from"`  // the node where it ran
	To    string `json:"to"`    // the node where it ran again; empty if nowhere
	Bound bool   `json:"bound"` // the cluster cannot run it again before the fault is mended
	// Restarted is when it ran again, in seconds from the fault.
	Restarted *float64 `json:"restarted_seconds"`
}

// crashWatch makes a report of the states of a cluster.
type crashWatch struct {
	began  time.Time
	before cluster.Status
	report CrashReport
	// killed is the service whose process was killed; empty if the fault is one of
	// the node.
	killed string
	// lastFenced is when the node was fenced before the fault, as far as any node
	// that was asked knew: one that has just come back has yet to be told.
	lastFenced string
}

func newCrashWatch(before cluster.Status, node string, kind CrashKind, services []CrashedService) *crashWatch {
	w := &crashWatch{began: time.Now(), before: before, lastFenced: nodeIn(before, node).LastFenced, report: CrashReport{
		Cluster: before.Cluster, Node: node, Kind: kind, Fencing: before.Fencing, State: cluster.Online,
		Services: slices.Clone(services), Touched: []string{}, Faults: []string{},
	}}
	if !kind.LosesNode() && len(services) > 0 {
		w.killed = services[0].ID
	}
	return w
}

func (w *crashWatch) noticed() bool { return w.report.Noticed != nil }
func (w *crashWatch) fenced() bool  { return w.report.Fenced != nil }

func (w *crashWatch) restarted(id string) bool {
	return slices.ContainsFunc(w.report.Services, func(s CrashedService) bool { return s.ID == id && s.Restarted != nil })
}

// runsOn reports whether a service that was stopped runs again, on that node.
func (w *crashWatch) runsOn(id, node string) bool {
	return slices.ContainsFunc(w.report.Services, func(s CrashedService) bool { return s.ID == id && s.Restarted != nil && s.To == node })
}

func (w *crashWatch) lost() bool { return w.report.Kind.LosesNode() }

// see takes in a state of the cluster, at a time after the fault.
func (w *crashWatch) see(status cluster.Status, at time.Duration) {
	w.seeNode(status, at)
	for i := range w.report.Services {
		w.seeService(status, &w.report.Services[i], at)
	}
	// Without a DC nobody decides, and nobody's word on the rest counts.
	if status.DC != "" {
		w.seeOthers(status)
	}
}

// once notes the time of what happened for the first time.
func once(moment **float64, at time.Duration) {
	if *moment == nil {
		s := at.Seconds()
		*moment = &s
	}
}

func (w *crashWatch) seeNode(status cluster.Status, at time.Duration) {
	now := nodeIn(status, w.report.Node)
	w.report.State = now.State
	if w.killed != "" {
		return
	}
	if now.State != cluster.Online {
		once(&w.report.Noticed, at)
		w.report.Back = nil
	}
	switch {
	case !w.noticed():
		w.lastFenced = max(w.lastFenced, now.LastFenced)
	case now.LastFenced > w.lastFenced && now.State != cluster.Unclean:
		once(&w.report.Fenced, at)
	}
	if w.noticed() && now.State == cluster.Online {
		once(&w.report.Back, at)
	}
}

func (w *crashWatch) seeService(status cluster.Status, service *CrashedService, at time.Duration) {
	was, _ := w.before.Service(service.ID)
	now, _ := status.Service(service.ID)
	again := another(was, now)
	if w.killed != "" && (again || now.State != cluster.Running) {
		once(&w.report.Noticed, at)
	}
	switch {
	case now.State != cluster.Running:
		service.Restarted, service.To = nil, ""
	case again || w.report.Back != nil:
		once(&service.Restarted, at)
		service.To = now.Node
	}
}

// another reports whether a service that runs does so in another run than before.
func another(was, now cluster.ServiceStatus) bool {
	if was.Node != now.Node {
		return true
	}
	return was.Run != "" && now.Run != "" && was.Run != now.Run
}

// seeOthers notes what happens to what should not notice.
func (w *crashWatch) seeOthers(status cluster.Status) {
	if w.before.Quorate && !status.Quorate {
		w.touched("the cluster lost its quorum")
	}
	for _, was := range w.before.Nodes {
		now := nodeIn(status, was.Name)
		if was.Name == w.report.Node && w.killed == "" || was.State != cluster.Online {
			continue
		}
		// The connection to a remote node moves when the node dies that had it.
		if now.State == cluster.Unclean || now.State == cluster.Offline && was.Role == cluster.Full {
			w.touched("%s was lost", was.Name)
		}
	}
	for _, was := range w.before.Services {
		hit := slices.ContainsFunc(w.report.Services, func(s CrashedService) bool { return s.ID == was.ID })
		if hit || was.State != cluster.Running {
			continue
		}
		now, _ := status.Service(was.ID)
		switch {
		case now.State != cluster.Running:
			w.touched("service %q stopped running on %s", was.ID, was.Node)
		case now.Node != was.Node:
			w.touched("service %q moved from %s to %s", was.ID, was.Node, now.Node)
		case another(was, now):
			w.touched("service %q was restarted on %s", was.ID, was.Node)
		}
	}
}

func (w *crashWatch) touched(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.report.Touched, text) {
		w.report.Touched = append(w.report.Touched, text)
	}
}

func nodeIn(status cluster.Status, name string) cluster.Node {
	for _, node := range status.Nodes {
		if node.Name == name {
			return node
		}
	}
	return cluster.Node{Name: name, State: cluster.Offline}
}

// unnoticed is how long a daemon of Pacemaker that was killed is watched: it may be
// there again before anybody has noticed.
const unnoticed = 10 * time.Second

// recovered reports whether the cluster has done all that it can do by itself.
func (w *crashWatch) recovered(at time.Duration) bool {
	if !w.lost() && w.killed == "" {
		return w.report.Back != nil || !w.noticed() && at > unnoticed
	}
	waits := slices.ContainsFunc(w.report.Services, func(s CrashedService) bool { return s.Restarted == nil && !s.Bound })
	return w.noticed() && !waits && (w.fenced() || !w.lost() || !w.report.Fencing)
}

// whole reports whether all is as it was before.
func (w *crashWatch) whole(time.Duration) bool {
	waits := slices.ContainsFunc(w.report.Services, func(s CrashedService) bool { return s.Restarted == nil })
	return !waits && (!w.lost() || w.report.Back != nil)
}

// conclude is the report, with its faults.
func (w *crashWatch) conclude() CrashReport {
	report := w.report
	fault := func(format string, args ...any) { report.Faults = append(report.Faults, fmt.Sprintf(format, args...)) }
	switch {
	case w.noticed():
	case w.killed != "":
		fault("nobody noticed that service %q died", w.killed)
	case w.lost():
		fault("nobody noticed the loss of %s", report.Node)
	}
	if w.lost() && report.Fencing && !w.fenced() {
		fault("%s was not fenced", report.Node)
	}
	for _, service := range report.Services {
		if service.Restarted == nil && (!report.Left || !service.Bound) {
			fault("service %q does not run again", service.ID)
		}
	}
	if w.lost() && report.Back == nil && !report.Left {
		fault("%s is not online again", report.Node)
	}
	report.Faults = append(report.Faults, report.Touched...)
	return report
}
