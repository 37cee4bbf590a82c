package form

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// disband does it, and forgets what was done before.
func (g *group) disband(t *testing.T) (int, error) {
	t.Helper()
	g.progress = nil
	for _, node := range g.nodes {
		node.did = nil
	}
	former := g.former
	return former.Disband(t.Context())
}

func (g *group) did(t *testing.T, want ...string) {
	t.Helper()
	var did []string
	for _, node := range g.nodes {
		did = append(did, node.name+" "+strings.Join(node.did, ", "))
	}
	if diff := cmp.Diff(want, did); diff != "" {
		t.Error(diff)
	}
}

// TestDisband stops services before any node leaves.
func TestDisband(t *testing.T) {
	g := newGroup(t, 3)
	for i, role := range []cluster.Role{cluster.Remote, cluster.Full, cluster.Full} {
		facts := g.nodes[i].facts
		facts["owner"], facts["role"] = "world", string(role)
		if role == cluster.Full {
			facts["corosync"], facts["pacemaker"], facts["cluster"] = "yes", "yes", "world"
		}
	}
	g.nodes[1].mon = []string{recordedMon(t, "running"), recordedMon(t, "empty"), "nobody looks at this"}
	g.nodes[2].stays = "directory /srv: not empty\n"
	g.former.Off = nil
	restored, err := g.disband(t)
	if err != nil || restored != 3 {
		t.Fatalf("%d (%v)", restored, err)
	}
	g.did(t, "node0 restore", "node1 stop services, stop fencing, restore", "node2 restore")
	if len(g.nodes[1].mon) != 1 {
		t.Errorf("it did not wait until services had stopped")
	}
	want := []string{"looking at what is there", "stopping services", "leaving hosts as they were: node1, node2",
		"node2: directory /srv: not empty", "leaving hosts as they were: node0"}
	if diff := cmp.Diff(want, g.progress); diff != "" {
		t.Error(diff)
	}
}

// TestDisbandForeign: services of another cluster, whose node a host is, go on, also
// if it has the same name; and one host that fails does not keep the others.
func TestDisbandForeign(t *testing.T) {
	g := newGroup(t, 4)
	g.former.Prepare = true
	for i, owner := range []string{"other", "", "world", "world"} {
		facts := g.nodes[i].facts
		facts["owner"], facts["cluster"], facts["role"], facts["corosync"], facts["pacemaker"] = owner, "world", "full", "yes", "yes"
	}
	g.nodes[2].fails["restore"] = "no space left on device"
	g.nodes[2].mon = []string{recordedMon(t, "empty")}
	restored, err := g.disband(t)
	if restored != 1 || err == nil || !strings.Contains(err.Error(), "node2: restore node2") {
		t.Errorf("%d (%v)", restored, err)
	}
	g.did(t, "node0 ", "node1 ", "node2 stop services, stop fencing, restore", "node3 restore")
	if diff := cmp.Diff([]string{"looking at what is there", "node0 has nothing of the cluster", "node1 has nothing of the cluster"}, g.progress[:3]); diff != "" {
		t.Error(diff)
	}
	g.servers[2].Close()
	if restored, err = g.disband(t); restored != 1 || err == nil {
		t.Errorf("%d (%v)", restored, err)
	}
	g.did(t, "node0 ", "node1 ", "node2 ", "node3 stop services, stop fencing, restore")
}
