package nodegroup

import (
	"fmt"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// crashNode is the node that a crash test breaks if nobody names one.
func crashNode(status cluster.Status) cluster.Node {
	runs := map[string]int{}
	for _, service := range status.Services {
		if service.State == cluster.Running {
			runs[service.Node]++
		}
	}
	worth := func(node cluster.Node) int {
		switch {
		case node.State != cluster.Online:
			return -1
		case runs[node.Name] > 0:
			return 2 + runs[node.Name]
		case node.Role == cluster.Full && node.Name != status.DC:
			return 2
		case node.Role == cluster.Full:
			return 1
		}
		return 0
	}
	var best cluster.Node
	for i, node := range status.Nodes {
		if i == 0 || worth(node) > worth(best) {
			best = node
		}
	}
	return best
}

// affected are the services that the fault stops: those of the node, or one of
// them, rather one that is restarted when it dies.
func affected(status cluster.Status, services []cluster.Service, node string, kind CrashKind) []CrashedService {
	found := []CrashedService{}
	for _, service := range status.Services {
		if service.State != cluster.Running || service.Node != node {
			continue
		}
		bound := !service.Failover
		if kind.LosesNode() {
			bound = bound || service.Target != cluster.Any || !elsewhere(status, services, service.ID, node)
		}
		found = append(found, CrashedService{ID: service.ID, From: node, Bound: bound})
	}
	if kind.LosesNode() || len(found) == 0 {
		return found
	}
	one := max(0, slices.IndexFunc(found, func(s CrashedService) bool { return !s.Bound }))
	return found[one : one+1]
}

// elsewhere reports whether another node offers what a service requires.
func elsewhere(status cluster.Status, services []cluster.Service, id, node string) bool {
	require := ""
	for _, service := range services {
		if service.ID == id {
			require = service.Require
		}
	}
	return slices.ContainsFunc(status.Nodes, func(n cluster.Node) bool {
		return n.Name != node && n.State == cluster.Online && (require == "" || slices.Contains(n.Capabilities, require))
	})
}

// risks are what a fault would cost beyond what a cluster should bear. killed is
// the one service that it is limited to, if it is.
func risks(status cluster.Status, victim cluster.Node, services []CrashedService, killed string) []string {
	var all []string
	switch {
	case !status.Quorate:
		all = append(all, "the cluster has no quorum as it is")
	case killed == "" && !status.StandsWithout(victim):
		all = append(all, fmt.Sprintf("without %s the cluster has no quorum and stops all services", victim.Name))
	}
	for _, service := range services {
		switch {
		case !service.Bound:
		case killed != "":
			all = append(all, fmt.Sprintf("service %q is not restarted when it dies", service.ID))
		default:
			all = append(all, fmt.Sprintf("service %q can run on %s only", service.ID, victim.Name))
		}
	}
	return all
}
