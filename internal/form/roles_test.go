package form

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestRounds: how full members come and go. Every letter is a node; the nodes of
// a case are named in the order of their indices, with what they are now: F a
// full node that runs, f one that is configured and does not run, R a remote
// node, - one that is new. A node in brackets is off.
func TestRounds(t *testing.T) {
	for _, test := range []struct {
		name    string
		nodes   string
		wanted  int
		promote bool
		want    string // memberships, by the indices of nodes
	}{
		{"new", "---", 0, false, "012"},
		{"new, large", "---------", 0, false, "01234"},
		{"new, with fewer full nodes", "-----", 3, false, "012"},
		{"nothing to do", "FFF", 0, false, "012"},
		{"killed half-way", "f-f", 0, false, "012"},
		{"one more", "FF-", 0, false, "012"},
		{"some more, one at a time", "F--", 0, false, "01 012"},
		{"more than vote", "FFFFFFF--", 0, false, "0123456"},
		{"one of the first was removed", ".FF", 0, false, "12"},
		{"a remote one stays", "FFFR", 3, false, "012"},
		{"a full one is off", "FF(F)R", 3, false, "012"},
		{"a full one is off, and replaced", "FF(F)R", 3, true, "013"},
		{"two are off, and replaced", "F(F)F(F)FRR", 5, true, "02345 02456"},
		{"nobody can replace it", "FF(F)", 3, true, "012"},
		{"one was removed, and is made up for", "F.FR", 3, true, "023"},
	} {
		f := &Former{Spec: cluster.Spec{Name: "world", FullNodes: test.wanted}, Promote: test.promote}
		members := f.nodesOf(test.nodes)
		var got []string
		for _, round := range f.planRounds(members) {
			indexes := strings.ReplaceAll(strings.Join(round, ""), "node", "")
			letters := strings.Split(indexes, "")
			slices.Sort(letters)
			got = append(got, strings.Join(letters, ""))
		}
		if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// nodesOf makes the nodes of a case of TestRounds, and returns those that are
// there. A dot is a node that was removed: it stands in the nodelists only.
func (f *Former) nodesOf(picture string) []*member {
	var members []*member
	var full []string
	off := false
	index := 0
	for _, letter := range picture {
		if letter == '(' || letter == ')' {
			off = letter == '('
			continue
		}
		m := &member{node: cluster.Node{Index: index, Name: cluster.NodeName(index)}}
		index++
		if letter == 'R' {
			m.found.cluster, m.found.role, m.found.remote = "world", cluster.Remote, true
		}
		if strings.ContainsRune("Ff.", letter) {
			m.found.cluster, m.found.role, m.found.corosync = "world", cluster.Full, letter == 'F'
			full = append(full, m.node.Name)
		}
		if letter == '.' {
			continue
		}
		f.Nodes = append(f.Nodes, m.node)
		if off {
			f.Off = append(f.Off, m.node.Name)
			continue
		}
		members = append(members, m)
	}
	f.Spec.Size = len(f.Nodes)
	for _, m := range members {
		if m.found.role == cluster.Full {
			m.found.full = full
		}
	}
	return members
}

// TestListed: a node that was away has an old nodelist, and is not believed.
func TestListed(t *testing.T) {
	f := &Former{Spec: cluster.Spec{Name: "world", Size: 4}}
	members := f.nodesOf("FFFF")
	members[0].found.full = []string{"node0", "node1"}
	for _, m := range members[1:] {
		m.found.full = []string{"node1", "node2", "node3"}
	}
	if diff := cmp.Diff(round{"node1", "node2", "node3"}, f.listed(members)); diff != "" {
		t.Error(diff)
	}
	members[1].found.corosync, members[2].found.corosync, members[3].found.corosync = false, false, false
	if diff := cmp.Diff(round{"node0", "node1"}, f.listed(members)); diff != "" {
		t.Errorf("where only one runs: %s", diff)
	}
}

// TestFormRemote: the nodes beyond the full ones run Pacemaker's executor, and
// the cluster connects to them.
func TestFormRemote(t *testing.T) {
	g := newGroup(t, 4)
	g.former.Spec.FullNodes = 3
	for _, node := range g.nodes[:3] {
		node.mon = []string{strings.Replace(recordedMon(t, "empty"), "</nodes>",
			`<node name="node3" id="node3" online="true" type="remote"/></nodes>`, 1)}
	}
	if _, err := g.form(t); err != nil {
		t.Fatal(err)
	}
	if did := g.nodes[3].did; !slices.Contains(did, "start remote") || slices.Contains(did, "start") {
		t.Errorf("node3: %v", did)
	}
	if g.nodes[3].data["sirikata::role"] != "remote" || g.nodes[3].data["sirikata::corosync::authkey"] != nil {
		t.Errorf("node3 got %v", g.nodes[3].data)
	}
	if key := g.nodes[3].facts["remotekey"]; len(key) < authKeySize || key != g.nodes[0].facts["remotekey"] {
		t.Errorf("keys %q and %q", key, g.nodes[0].facts["remotekey"])
	}
	if !strings.Contains(g.nodes[0].cib, `value="10.0.0.4"`) || strings.Contains(g.nodes[0].cib, `value="10.0.0.3"`) {
		t.Errorf("configuration:\n%s", g.nodes[0].cib)
	}
}

// TestFormDemoted: a full node whose vote another one got while it was away may be
// about to start Corosync, with its old nodelist, when it is looked at.
func TestFormDemoted(t *testing.T) {
	g := newGroup(t, 2)
	g.former.Spec.FullNodes = 1
	before, rest, _ := strings.Cut(recordedMon(t, "empty"), `<node name="node1"`)
	_, after, _ := strings.Cut(rest, "</nodes>")
	g.nodes[0].mon = []string{before + `<node name="node1" id="node1" online="true" type="remote"/></nodes>` + after}
	g.formed(t)
	g.nodes[1].facts["role"], g.nodes[1].facts["full"] = "full", "node0 node1"
	g.nodes[1].digest = "of its time as a full node"
	delete(g.nodes[1].facts, "remote")
	if _, err := g.form(t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"stop", "puppet", "start remote"}, g.nodes[1].did); diff != "" {
		t.Error(diff)
	}
}

// TestRemotes: a full node that is off, and whose vote another one has, is connected
// to as a remote one only when it is back.
func TestRemotes(t *testing.T) {
	for _, test := range []struct {
		off  []string
		want []string
	}{
		{off: []string{"node0"}, want: []string{"node2"}},
		{want: []string{"node0", "node2"}},
	} {
		f := &Former{Off: test.off, rounds: []round{{"node1", "node3"}}}
		for _, name := range []string{"node0", "node1", "node2", "node3"} {
			f.Nodes = append(f.Nodes, cluster.Node{Name: name})
		}
		var got []string
		for _, node := range f.settings().Remotes {
			got = append(got, node.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("with %v off the remote nodes are %v, not %v", test.off, got, test.want)
		}
	}
}
