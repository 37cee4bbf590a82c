package cluster_test

import (
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// picture is a cluster in which F is a full node that is there, f one that is
// not, and R a remote one.
func picture(letters string) cluster.Status {
	status := cluster.Status{Quorate: true}
	for _, letter := range letters {
		node := cluster.Node{Role: cluster.Full, State: cluster.Online}
		switch letter {
		case 'f':
			node.State = cluster.Offline
		case 'R':
			node.Role = cluster.Remote
		}
		status.Nodes = append(status.Nodes, node)
	}
	return status
}

func TestLastStand(t *testing.T) {
	for letters, want := range map[string]bool{
		"F": false, "FF": false, "Ff": false, "FFF": false, "FFf": true, "FFFF": false, "FFFf": true,
		"FFFFF": false, "FFFFf": false, "FFFff": true, "FFFRRRR": false, "FFfRRRR": true,
	} {
		if got := picture(letters).LastStand(); got != want {
			t.Errorf("%s: %v", letters, got)
		}
	}
}

// TestStandsWithout loses the first node.
func TestStandsWithout(t *testing.T) {
	for letters, want := range map[string]bool{
		"F": false, "FRR": false, "FF": true, "Ff": false, "FFF": true, "FFf": false, "FFFFf": true, "RF": true, "RFFf": true,
	} {
		status := picture(letters)
		if got := status.StandsWithout(status.Nodes[0]); got != want {
			t.Errorf("%s: %v", letters, got)
		}
		status.Quorate = false
		if status.StandsWithout(status.Nodes[0]) {
			t.Errorf("%s: what has no quorum goes on", letters)
		}
	}
}
