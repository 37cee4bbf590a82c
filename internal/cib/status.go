package cib

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// NodeState is the state of the node with that name; a node that Pacemaker
// does not know is offline.
func (m Mon) NodeState(name string) cluster.NodeState {
	for _, node := range m.Nodes {
		if node.Name != name {
			continue
		}
		switch {
		case node.Unclean:
			return cluster.Unclean
		case node.Pending:
			return cluster.Pending
		case !node.Online:
			return cluster.Offline
		case node.Type == remoteType && m.connecting(name):
			return cluster.Offline
		case node.Standby:
			return cluster.Standby
		}
		return cluster.Online
	}
	return cluster.Offline
}

// NodeRole is the role of the node with that name, if Pacemaker knows the node.
func (m Mon) NodeRole(name string) (role cluster.Role, known bool) {
	for _, node := range m.Nodes {
		switch {
		case node.Name != name:
		case node.Type == remoteType:
			return cluster.Remote, true
		default:
			return cluster.Full, true
		}
	}
	return "", false
}

// AtWork reports whether anything is being started or stopped.
func (m Mon) AtWork() bool {
	return slices.ContainsFunc(m.Resources, func(r MonResource) bool {
		return !r.settled() || r.Role == "Starting" || r.Role == "Stopping"
	})
}

// remoteType is what crm_mon calls a remote node.
const remoteType = "remote"

// connecting reports whether the cluster is about to connect to a remote node.
// Meanwhile crm_mon 2.1.5 calls the node online, dead as it may be.
func (m Mon) connecting(node string) bool {
	for _, history := range m.History {
		for _, resource := range history.Resources {
			for _, op := range resource.Operations {
				if resource.ID == node && op.Task == "start" && op.Code == codePending {
					return true
				}
			}
		}
	}
	return false
}

// LastFenced is when a node was last fenced with success, by the clock of the node
// that saw to it; empty if never, as far as is remembered.
func (m Mon) LastFenced(node string) string {
	last := ""
	for _, fence := range m.Fences {
		if fence.Target == node && fence.Status == "success" {
			last = max(last, fence.When)
		}
	}
	return last
}

// Running is the number of resources that are active on a node.
func (m Mon) Running(node string) int {
	for _, n := range m.Nodes {
		if n.Name == node {
			return n.Running
		}
	}
	return 0
}

// Connected reports whether the connection to a remote node is active.
func (m Mon) Connected(node string) bool {
	for _, resource := range m.Resources {
		if resource.ID == node && resource.Active {
			return true
		}
	}
	return false
}

// codePending is the exit code of an action that is not over (Pacemaker's
// PCMK_OCF_UNKNOWN, which it prints as 193).
const codePending = 193

// Resource returns what crm_mon says of the service with that id.
func (m Mon) Resource(id string) (MonResource, bool) {
	for _, resource := range m.Resources {
		if resource.ID == cluster.ResourceName(id) {
			return resource, true
		}
	}
	return MonResource{}, false
}

// ServiceStatus says what the service that p defines does now.
func (m Mon) ServiceStatus(p Primitive) (cluster.ServiceStatus, error) {
	service, err := p.Service()
	if err != nil {
		return cluster.ServiceStatus{}, err
	}
	failures := m.failCounts(p.ID)
	status := cluster.ServiceStatus{ID: service.ID, Target: service.Target, Failover: service.Failover, Run: m.StartedAs(service.ID)}
	for _, count := range failures {
		status.Failures += count.failures
	}
	resource, _ := m.Resource(service.ID)
	if len(resource.Nodes) > 0 {
		status.Node = resource.Nodes[0].Name
	}
	switch {
	case resource.Active && resource.Role == "Started" && !resource.Failed && resource.settled():
		status.State = cluster.Running
	case resource.Blocked:
		status.State = cluster.Failed
		status.Reason = m.failureReason(p.ID)
	case resource.Active || resource.Pending != "":
		status.State = cluster.Starting
	default:
		status.State, status.Reason = m.inactive(p, service, failures)
	}
	return status, nil
}

// settled reports whether nothing is being done to a resource that could change
// whether it runs: it may well be looked at.
func (r MonResource) settled() bool { return r.Pending == "" || r.Pending == "Monitoring" }

// inactive says why a service that is not active is not.
func (m Mon) inactive(p Primitive, service cluster.Service, failures map[string]failCount) (cluster.ServiceState, string) {
	var exhausted, away, gone []string
	for _, node := range p.Candidates() {
		count, failed := failures[node]
		_, known := m.NodeRole(node)
		switch {
		case !known && m.DC.Present:
			gone = append(gone, node)
		case m.NodeState(node) != cluster.Online:
			away = append(away, node)
		case failed && (count.failures >= count.threshold || !service.Failover):
			exhausted = append(exhausted, node)
		default:
			// Without a DC, which takes a moment to elect, nobody knows of quorum.
			if m.DC.Present && !m.DC.Quorum {
				return cluster.Stopped, "the cluster has no quorum: more than half of the nodes must be online"
			}
			return cluster.Starting, ""
		}
	}
	if len(exhausted) > 0 {
		return cluster.Failed, m.failureReason(p.ID)
	}
	switch {
	case len(away) == 1:
		return cluster.Stopped, fmt.Sprintf("waits for %s, which is %s", away[0], m.NodeState(away[0]))
	case len(away) > 1:
		return cluster.Stopped, "waits for one of " + strings.Join(away, ", ") + ": none is online"
	case len(gone) == 1:
		return cluster.Stopped, gone[0] + ", on which alone it may run, is no longer part of the cluster: " +
			"remove the service, and add it with another target"
	}
	return cluster.Stopped, "of " + strings.Join(gone, ", ") + ", on which it may run, none is part of the cluster any more: " +
		"remove the service, and add it again"
}

// failCount is how often a resource failed on a node.
type failCount struct {
	failures  int
	threshold int // from this count on, the node is not used for it
}

// failCounts are the counts of a resource by node, for the nodes on which it
// failed. A start that fails counts as a million, which is reported as one.
func (m Mon) failCounts(resource string) map[string]failCount {
	counts := map[string]failCount{}
	for _, node := range m.History {
		for _, history := range node.Resources {
			if history.ID != resource || score(history.FailCount) == 0 {
				continue
			}
			count := failCount{failures: score(history.FailCount), threshold: score(history.Threshold)}
			if count.failures >= infinity {
				count = failCount{failures: 1, threshold: 1}
			}
			counts[node.Node] = count
		}
	}
	return counts
}

// LastFailure is the newest failure of the service with that id.
func (m Mon) LastFailure(id string) (MonFailure, bool) {
	return m.lastFailure(cluster.ResourceName(id))
}

// FenceFault says why what fences a node alone does not work; empty if it does.
func (m Mon) FenceFault(node string) string {
	id := FenceID(node)
	at := slices.IndexFunc(m.Resources, func(r MonResource) bool { return r.ID == id })
	switch {
	case at < 0:
		return "the cluster does not have it"
	case m.Resources[at].Active && !m.Resources[at].Failed:
		return ""
	}
	if failure, ok := m.lastFailure(id); ok {
		return failure.String()
	}
	return "it is not started"
}

func (m Mon) lastFailure(resource string) (MonFailure, bool) {
	last, found := MonFailure{}, false
	for _, failure := range m.Failures {
		// An operation is RESOURCE_TASK_INTERVAL, and a resource may be called a_start.
		interval, ok := strings.CutPrefix(failure.Key, resource+"_"+failure.Task+"_")
		if _, err := strconv.ParseUint(interval, 10, 64); err != nil || !ok {
			continue
		}
		if !found || failure.When >= last.When {
			last, found = failure, true
		}
	}
	return last, found
}

func (m Mon) failureReason(resource string) string {
	failure, ok := m.lastFailure(resource)
	if !ok {
		return "it failed on every node that may run it"
	}
	return failure.String()
}

// String says what failed, where and why.
func (f MonFailure) String() string {
	why := f.Reason
	if why == "" {
		why = f.Status
	}
	if f.State != "" && f.State != "complete" {
		why = strings.TrimSpace(f.State + " " + f.Reason)
	}
	return fmt.Sprintf("%s on %s: %s", f.Task, f.Node, why)
}

// Began is when the action that failed began, to the second, by the clock of
// its node; false if crm_mon does not say it.
func (f MonFailure) Began() (time.Time, bool) {
	ended, err := time.Parse("2006-01-02 15:04:05Z07:00", f.When)
	if err != nil {
		return time.Time{}, false
	}
	return ended.Add(-time.Duration(f.Took) * time.Millisecond).Truncate(time.Second), true
}

// StartedAs identifies the current run of a service: it changes with every
// start. It is "" when the service does not run, and when no start of it is
// known: a clean-up forgets the start of what runs on.
func (m Mon) StartedAs(id string) string {
	resource, _ := m.Resource(id)
	if len(resource.Nodes) == 0 {
		return ""
	}
	running := resource.Nodes[0].Name
	for _, node := range m.History {
		if node.Node != running {
			continue
		}
		for _, history := range node.Resources {
			for _, op := range history.Operations {
				if history.ID == resource.ID && op.Task == "start" {
					return fmt.Sprintf("%s/%d", running, op.Call)
				}
			}
		}
	}
	return ""
}
