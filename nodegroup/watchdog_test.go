package nodegroup

import (
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestRemoveWatched: two hosts that their own watchdogs should switch off would each go
// on without the other, so a third stays.
func TestRemoveWatched(t *testing.T) {
	h := newHostsWith(t, 3, cluster.Pacemaker)
	g := h.open(t)
	g.spec.Fencing = true
	for i := range g.spec.Hosts {
		g.spec.Hosts[i].Fence = cluster.HostFence{"agent": "sbd"}
	}
	if err := g.store.Update(g.spec); err != nil {
		t.Fatal(err)
	}
	if fence := hostFence(g.spec.Hosts); len(fence.Devices) > 0 {
		t.Errorf("there are devices: %+v", fence.Devices)
	}
	_, _, err := g.RemoveNode(bounded(t), "h2")
	wantError(t, err, `remove h2: invalid cluster "world": fence: sbd needs 3 hosts or more: of two, each goes on without the other, `+
		`and no watchdog switches it off: add hosts, or use fence agents`, "first add another host: sirikata-cluster adhoc add node world NODE")
	if hosts, err := g.leaving(); err != nil || len(hosts) > 0 {
		t.Errorf("leaving are %v (%v)", hosts, err)
	}
}
