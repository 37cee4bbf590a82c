//go:build lab

package e2e

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/drill"
)

// newDrill boots a cluster whose services all hold their leases.
func newDrill(t *testing.T, seed uint64) *drillRun {
	t.Helper()
	var flags []string
	if *drillFull < *drillNodes {
		flags = append(flags, "--full-nodes="+strconv.Itoa(*drillFull))
	}
	if !*drillFencing {
		flags = append(flags, "--fencing=off")
	}
	c := newCluster(t, *drillNodes, flags...)
	d := &drillRun{t: t, leases: newLeases(t, c, *drillServices), tally: drill.Tally{Seed: seed}, peers: map[string]string{}}
	d.readPeers()
	d.say("drill: %d faults with seed %d on %v", *drillFaults, seed, d.Cluster)
	if watched := d.watch(over(), *drillDeadline); len(watched.missing) > 0 {
		t.Fatalf("before the first fault: %s; %v", strings.Join(watched.missing, "; "), d.referee.Faults())
	}
	return d
}

func (d *drillRun) readPeers() {
	status := decode[cluster.Status](d.t, d.c.quietly("status", d.c.name, "-o", "json").ok(d.t))
	for _, node := range status.Nodes {
		var peers []string
		for _, other := range status.Nodes {
			if other.Name != node.Name {
				peers = append(peers, other.Address)
			}
		}
		d.peers[node.Name] = strings.Join(peers, " ")
	}
}
