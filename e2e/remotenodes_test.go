//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/drill"
)

// TestRemoteNodes has three full nodes and two remote ones. The last part leaves
// others.
func TestRemoteNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 5, "--full-nodes=3", "--capability=node3=remote", "--capability=node4=remote")
	l := newLeases(t, c, 5, "remote", "remote")
	t.Run("crash test", func(t *testing.T) {
		defer c.report(t)
		for _, kind := range []string{"power", "cut", "freeze"} {
			c.crash(t, kind, l.on(t, "node4", "node3").name, l.Services...)
		}
		l.heldOnce(t)
	})
	t.Run("promotion", func(t *testing.T) {
		defer c.report(t)
		promotion(t, l)
	})
}

// promotion: a full node is lost for good, and fix corosync makes another one of a
// remote node. That it votes shows when one more is lost.
func promotion(t *testing.T, l *leases) {
	c := l.c
	addSleep(t, c, "full", "node2")
	addSleep(t, c, "remote", "node4")
	bound := c.runs(t, "full", "remote")
	c.kill(t, "node0")
	c.waitFor(t, failoverLimit, "status warns, and all services run without node0", func() (bool, string) {
		s, working := c.status(t), l.working()
		lost := s.Nodes[0].State == "offline" && strings.Contains(fmt.Sprint(s.Warnings), "if one more full node is lost the cluster has no quorum")
		return lost && s.Quorate && l.elsewhere(working, "node0"), fmt.Sprintf("%+v; %v", s, working)
	})

	before := l.working()
	r := c.run(t, "local", "fix", "corosync", c.name).ok(t)
	if !strings.Contains(r.stderr, "moving away what runs on node3, which becomes a full node") {
		t.Errorf("it does not say what it does\n%v", r)
	}
	c.votes(t, "node1", "node2", "node3")
	if strings.Contains(c.primitives(t), `<primitive id="node0"`) {
		t.Error("the cluster connects to node0, which is off: meanwhile it decides nothing")
	}
	if now := c.runs(t, "full", "remote"); !maps.Equal(now, bound) {
		t.Errorf("services on other nodes were touched: %v, before %v", now, bound)
	}
	now := l.working()
	for id, run := range before {
		if moved := strings.HasSuffix(run, " on node3"); !moved && now[id] != run {
			t.Errorf("%s was %s, and is %s", id, run, now[id])
		}
	}

	// It comes back after all, without a vote, and is lost for good.
	c.boot(t).ok(t)
	l.Nodes = []drill.Node{{Name: "node0", Role: cluster.Remote}, {Name: "node1", Role: cluster.Full},
		{Name: "node2", Role: cluster.Full}, {Name: "node3", Role: cluster.Full}, {Name: "node4", Role: cluster.Remote}}
	l.waitWhole(t, 0, nothingElse)
	c.kill(t, "node0")
	c.run(t, "remove", "node", c.name, "node0").ok(t)
	l.Nodes = l.Nodes[1:]
	l.waitWhole(t, 0, nothingElse)

	c.kill(t, "node1")
	c.waitFor(t, failoverLimit, "two of three votes carry all services on", func() (bool, string) {
		s, working := c.status(t), l.working()
		// The connection to the remote node goes with node1; until another node has
		// it the cluster does not say what runs there.
		running := !slices.ContainsFunc(s.Services, func(s serviceStatus) bool { return s.State != "running" })
		return s.Nodes[0].State == "offline" && s.Quorate && running && l.elsewhere(working, "node1"), fmt.Sprintf("%+v; %v", s, working)
	})
	if now := c.runs(t, "full", "remote"); !maps.Equal(now, bound) {
		t.Errorf("services on other nodes were touched: %v, before %v", now, bound)
	}
	l.heldOnce(t)
}

// elsewhere reports whether a process works for every service, on other nodes than
// this one.
func (l *leases) elsewhere(working map[string]string, lost string) bool {
	for _, run := range working {
		if strings.HasSuffix(run, " on "+lost) {
			return false
		}
	}
	return len(working) == len(l.Services)
}

// votes fails the test unless these nodes vote, and all of them say so.
func (c *labCluster) votes(t *testing.T, names ...string) {
	t.Helper()
	var full []string
	for _, n := range c.status(t).Nodes {
		if n.Role == "full" && n.State == "online" {
			full = append(full, n.Name)
		}
	}
	if !slices.Equal(full, names) {
		t.Errorf("full nodes that are online: %v, not %v", full, names)
	}
	for _, name := range names {
		said := c.node(t, name).sh(t, "corosync-quorumtool -s")
		for _, want := range []string{"Expected votes", "Total votes"} {
			if !strings.Contains(said, fmt.Sprintf("%-18s%d\n", want+":", len(names))) {
				t.Errorf("%s: not %d %s:\n%s", name, len(names), strings.ToLower(want), said)
			}
		}
		if !strings.Contains(said, "Quorate:          Yes") {
			t.Errorf("%s has no quorum:\n%s", name, said)
		}
	}
}
