package form

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/puppet"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

var allSteps = []string{"waiting for sshd", "looking at what is there", "installing sirikata-node",
	"configuring with Puppet", "starting Corosync and Pacemaker", "waiting for the cluster",
	"completing the cluster's configuration"}

func TestFormFresh(t *testing.T) {
	g := newGroup(t, 3)
	changed, err := g.form(t)
	if err != nil || !changed {
		t.Fatalf("changed %v (%v)", changed, err)
	}
	if diff := cmp.Diff(allSteps, g.progress); diff != "" {
		t.Error(diff)
	}
	// The content is followed by a seal of 26 letters, see remote.Client.WriteFile.
	want := []string{fmt.Sprintf("install %d bytes", len("for amd64")+26), "puppet", "start"}
	for i, node := range g.nodes {
		wanted := want
		if i == 0 {
			wanted = append(slices.Clone(want), "complete") // one does it for all
		}
		if diff := cmp.Diff(wanted, node.did); diff != "" {
			t.Errorf("%s: %s", node.name, diff)
		}
		if node.facts["authkey"] != g.nodes[0].facts["authkey"] || len(node.facts["authkey"]) < authKeySize {
			t.Errorf("%s has the key %q, node0 %q", node.name, node.facts["authkey"], g.nodes[0].facts["authkey"])
		}
		if first, _ := node.data["sirikata::pacemaker::first_cib"].(string); !strings.Contains(first, "symmetric-cluster") {
			t.Errorf("%s got the first CIB %q", node.name, first)
		}
	}
}

func TestFormAgain(t *testing.T) {
	g := newGroup(t, 3)
	g.formed(t)
	changed, err := g.form(t)
	if err != nil || changed {
		t.Errorf("changed %v (%v)", changed, err)
	}
	for _, node := range g.nodes {
		if len(node.did) > 0 {
			t.Errorf("%s: %v", node.name, node.did)
		}
	}
	g.former.Force = true
	changed, err = g.form(t)
	if err != nil || !changed {
		t.Errorf("forced: changed %v (%v)", changed, err)
	}
	// One reload serves all nodes; it may be what an earlier run was killed before.
	for i, want := range [][]string{{"puppet"}, {"puppet"}, {"puppet", "reload"}} {
		if diff := cmp.Diff(want, g.nodes[i].did); diff != "" {
			t.Errorf("node%d, forced: %s", i, diff)
		}
	}
}

// TestFormJoin adds a node to a cluster that lives.
func TestFormJoin(t *testing.T) {
	g := newGroup(t, 3)
	third := g.former.Nodes[2]
	all := g.nodes
	g.former.Nodes, g.nodes = g.former.Nodes[:2], all[:2]
	for _, node := range g.nodes {
		node.mon = []string{strings.ReplaceAll(recordedMon(t, "empty"), `name="node2"`, `name="other"`)}
	}
	g.formed(t)
	before := all[0].facts["authkey"]
	g.former.Nodes, g.nodes = append(g.former.Nodes, third), all
	for _, node := range all[:2] {
		node.facts["lived"] = "yes"
		node.mon = []string{recordedMon(t, "empty")}
	}
	changed, err := g.form(t)
	if err != nil || !changed {
		t.Fatalf("changed %v (%v)", changed, err)
	}
	reloads := 0
	for _, node := range all {
		reloads += len(slices.DeleteFunc(slices.Clone(node.did), func(did string) bool { return did != "reload" }))
		if node.facts["authkey"] != before {
			t.Errorf("%s got another key", node.name)
		}
		if slices.Contains(node.did, "start") != (node == all[2]) {
			t.Errorf("%s: %v", node.name, node.did)
		}
	}
	if reloads != 1 {
		t.Errorf("Corosync was reloaded %d times", reloads)
	}
	if _, ok := all[2].data["sirikata::pacemaker::first_cib"]; ok {
		t.Error("a node that joins brings a CIB")
	}
	if _, ok := all[0].data["sirikata::pacemaker::first_cib"]; !ok {
		t.Error("a node that has a CIB is to lose it")
	}
}

// TestFormLost: a node that is lost on the way, and comes back, is formed as well.
func TestFormLost(t *testing.T) {
	g := newGroup(t, 2)
	for _, node := range g.nodes {
		node.mon = []string{strings.ReplaceAll(recordedMon(t, "empty"), `name="node2"`, `name="other"`)}
	}
	g.nodes[1].lose = g.servers[1].Drop
	changed, err := g.form(t)
	if err != nil || !changed {
		t.Fatalf("changed %v (%v)", changed, err)
	}
	if did := g.nodes[1].did; !slices.Contains(did, "lost") || !slices.Contains(did, "start") {
		t.Errorf("node1: %v", did)
	}
}

// TestFormCompletes finishes what was begun: one node is as it should be, one
// was configured and does not run, one is fresh.
func TestFormCompletes(t *testing.T) {
	g := newGroup(t, 3)
	g.formed(t)
	delete(g.nodes[1].facts, "pacemaker")
	g.nodes[2].facts = newFakeNode(t, "node2").facts
	g.nodes[2].digest = ""
	changed, err := g.form(t)
	if err != nil || !changed {
		t.Fatalf("changed %v (%v)", changed, err)
	}
	for i, want := range []int{0, 1, 3} {
		if did := g.nodes[i].did; len(did) != want {
			t.Errorf("node%d: %v, want %d", i, did, want)
		}
	}
}

func TestFormFaults(t *testing.T) {
	for _, test := range []struct {
		name  string
		alter func(*group)
		want  string
	}{
		{"start", func(g *group) { g.nodes[1].fails["start"] = "Job for corosync.service failed.\n" },
			`starting Corosync and Pacemaker: node1: run "systemctl" on node1: exit status 1: Job for corosync.service failed.`},
		{"two", func(g *group) { g.nodes[0].fails["start"], g.nodes[2].fails["start"] = "one\n", "three\n" },
			"starting Corosync and Pacemaker: node0: run \"systemctl\" on node0: exit status 1: one\n" +
				"node2: run \"systemctl\" on node2: exit status 1: three"},
		{"puppet", func(g *group) { g.nodes[2].fails["puppet"] = "Error: it rains\nError: and more\n" },
			`configuring with Puppet: node2: configure node2: Puppet: it rains`},
		{"machine", func(g *group) { g.nodes[0].facts["machine"] = "s390x" },
			`installing sirikata-node: node0: no sirikata-node for a s390x machine: only x86_64 and aarch64`},
		{"not built", func(g *group) { g.former.programs = fstest.MapFS{} },
			`installing sirikata-node: node0: this sirikata-cluster was built without sirikata-node for amd64`},
		{"foreign", func(g *group) { g.nodes[1].facts["cluster"] = "others" },
			`looking at what is there: node1: it belongs to another cluster, "others" (/etc/corosync/corosync.conf, /var/lib/pacemaker/cib/cib.xml)`},
		{"profile", func(g *group) { g.former.Spec.TokenProfile = "wan" },
			`configuring with Puppet: node0: "wan" is not a token profile: use lan, cloud, or 200 to 60000 milliseconds`},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, 3)
			test.alter(g)
			_, err := g.form(t)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error\n%v\nwant\n%s", err, test.want)
			}
			var node *cluster.NodeError
			if !errors.As(err, &node) {
				t.Errorf("%v is not of a node", err)
			}
		})
	}
}

func TestFormPuppetErrorKeepsOutput(t *testing.T) {
	g := newGroup(t, 1)
	g.nodes[0].fails["puppet"] = "Error: it rains\nError: and more\n"
	_, err := g.form(t)
	var failed *puppet.Error
	var exit *remote.ExitError
	if !errors.As(err, &failed) || failed.Node != "node0" || !errors.As(err, &exit) || !strings.Contains(string(exit.Stderr), "and more") {
		t.Errorf("error %v", err)
	}
}

// TestFormOneNodeAway waits for a node that does not answer, until its time is
// over.
func TestFormOneNodeAway(t *testing.T) {
	g := newGroup(t, 2)
	g.servers[1].Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gave up after 5m"))
	former := g.former
	_, err := former.Form(ctx)
	if err == nil || !strings.HasPrefix(err.Error(), "waiting for sshd: node") || !strings.Contains(err.Error(), "gave up after 5m") {
		t.Errorf("error %v", err)
	}
	if len(g.nodes[0].did) > 0 {
		t.Errorf("without node1, node0 did %v", g.nodes[0].did)
	}
}
