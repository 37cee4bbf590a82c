package pacemaker

import (
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// What keeps the services of a lost node from running twice. The guard does not
// help against a cut network or a frozen machine.
const (
	byFencing = "fencing"
	byGuard   = "guard, best effort"
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
			status.Nodes[i].Protection = byFencing
		}
		if node.Role == cluster.Remote {
			status.RemoteDetectionSeconds = cib.RemoteDetection.Seconds()
		}
		if node.State == cluster.Unclean {
			warn("%s is lost, and not known to be off yet: what ran there starts elsewhere only then", node.Name)
		}
	}
	if e.spec.Fencing != mon.Options.Fencing {
		warn("fencing is %s in the cluster and %s in its spec: fix corosync makes them agree", onOff(mon.Options.Fencing), onOff(e.spec.Fencing))
	}
	if mon.DC.Quorum && lastStand(status.Nodes) {
		warn("if one more full node is lost the cluster has no quorum and stops all services: " +
			"bring back those that are off, or let fix corosync promote other nodes")
	}
}

// lastStand reports whether the loss of one more full node costs the quorum. Of
// two, one goes on by itself (votequorum(5), two_node), and of one nothing would.
func lastStand(nodes []cluster.Node) bool {
	full, there := 0, 0
	for _, node := range nodes {
		if node.Role != cluster.Full {
			continue
		}
		full++
		if node.State != cluster.Offline && node.State != cluster.Unclean {
			there++
		}
	}
	return full > 2 && there-1 <= full/2
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
