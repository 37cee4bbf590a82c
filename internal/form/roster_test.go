package form

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func TestStrangers(t *testing.T) {
	f := &Former{Nodes: []cluster.Node{{Name: "node0"}, {Name: "node2"}}}
	mon := cib.Mon{Nodes: []cib.MonNode{{Name: "node0"}, {Name: "node1"}, {Name: "node2"}, {Name: "node3"}}}
	if diff := cmp.Diff([]string{"node1", "node2", "node3"}, f.strangers(mon, "node2")); diff != "" {
		t.Error(diff)
	}
	if found := f.strangers(cib.Mon{Nodes: mon.Nodes[:1]}); len(found) > 0 {
		t.Errorf("strangers %v", found)
	}
}

// TestDemote: Pacemaker forgets a full node that lost its vote while it was away,
// or it would never take it for a remote one.
func TestDemote(t *testing.T) {
	g := newGroup(t, 3)
	g.former.all = g.connected(t)[:2]
	for _, m := range g.former.all {
		m.found.corosync, m.found.pacemaker = true, true
	}
	g.former.full = round{"node0", "node1", "node2"}
	away := recordedMon(t, "node-killed")
	forgotten := strings.Replace(away, `<node name="node2" id="3" online="false"`, `<node name="other" id="9" online="false"`, 1)
	g.nodes[0].mon = []string{away}
	full := g.former.all[0]
	if err := g.former.demote(t.Context(), full); err != nil || full.changed || len(g.nodes[0].did) > 0 {
		t.Fatalf("while it has its vote: %v (%v)", g.nodes[0].did, err)
	}
	g.former.full = round{"node0", "node1", "node3"}
	// It comes up once more, from somebody's memory.
	g.nodes[0].mon = []string{away, away, forgotten, away, forgotten}
	if err := g.former.demote(t.Context(), full); err != nil || !full.changed {
		t.Fatalf("changed %v (%v)", full.changed, err)
	}
	for _, node := range g.nodes[:2] {
		if diff := cmp.Diff([]string{"forget node2", "forget node2"}, node.did); diff != "" {
			t.Errorf("%s: %s", node.name, diff)
		}
	}
}

// TestNoticed waits for the end of a fencing, but not for ever.
func TestNoticed(t *testing.T) {
	g := newGroup(t, 3)
	r := roster{g.connected(t)[0].client}
	there, unclean, off := recordedMon(t, "running"), recordedMon(t, "unclean"), recordedMon(t, "node-killed")
	g.nodes[0].mon = []string{there, unclean, unclean, off, "nobody looks at this"}
	if err := r.noticed(t.Context(), "node2", time.Minute); err != nil || len(g.nodes[0].mon) != 1 {
		t.Errorf("%d more looks would follow (%v)", len(g.nodes[0].mon), err)
	}
	g.nodes[0].mon = []string{unclean}
	if err := r.noticed(t.Context(), "node2", time.Millisecond); err != nil {
		t.Errorf("one whose fencing fails cannot be removed: %v", err)
	}
}
