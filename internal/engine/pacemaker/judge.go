package pacemaker

import (
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// What keeps the services of a lost node from running twice. The guard does not
// help against a cut network or a frozen machine.
const (
	byFencing  = "fencing"
	byWatchdog = "its own watchdog (sbd)"
	byGuard    = "guard, best effort"
)

// judge adds what follows from the state of the nodes.
func (e *Engine) judge(status *cluster.Status, mon cib.Mon) {
	status.Warnings = []string{}
	warn := func(format string, args ...any) {
		status.Warnings = append(status.Warnings, fmt.Sprintf(format, args...))
	}
	for i, node := range status.Nodes {
		status.Nodes[i].Protection = byGuard
		if mon.Options.Fencing {
			status.Nodes[i].Protection = e.fencedBy(node.Name)
		}
		if node.Role == cluster.Remote {
			status.RemoteDetectionSeconds = cib.RemoteDetection.Seconds()
		}
		if node.ID == "" {
			warn("%s is part of the cluster, and there is no machine of it: nodes boot makes it anew, or remove node gives it up", node.Name)
		}
		if node.State == cluster.Unclean {
			warn("%s is lost, and not known to be off yet: what ran there starts elsewhere only then", node.Name)
		}
	}
	for _, host := range e.spec.Hosts {
		if _, is := host.Fence.Watchdog(); is {
			continue // there is no device
		}
		if fault := mon.FenceFault(host.Name); e.spec.Fencing && mon.Options.Fencing && fault != "" {
			warn("what fences %s does not work: %s", host.Name, fault)
		}
	}
	if e.spec.Fencing != mon.Options.Fencing {
		warn("fencing is %s in the cluster and %s in its spec: fix corosync makes them agree", onOff(mon.Options.Fencing), onOff(e.spec.Fencing))
	}
	if mon.DC.Quorum && status.LastStand() {
		warn("if one more full node is lost the cluster has no quorum and stops all services: " +
			"bring back those that are off, or let fix corosync promote other nodes")
	}
}

// fencedBy says what fences a node: of a host that the user has, by which agent.
func (e *Engine) fencedBy(node string) string {
	host, _ := e.spec.Host(node)
	if _, is := host.Fence.Watchdog(); is {
		return byWatchdog
	}
	if agent, _ := host.Fence.Split(); agent != "" {
		return byFencing + " by " + agent
	}
	return byFencing
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
