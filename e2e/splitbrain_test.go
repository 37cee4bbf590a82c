//go:build lab

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// healLimit is for a lost node to be fenced, to boot and to be online again.
const healLimit = 90 * time.Second

// loses breaks something and watches until a service runs again on a node that is
// online, all nodes are online, and the one that was lost was switched off and on
// meanwhile. At no moment may there be two copies.
func (c *labCluster) loses(t *testing.T, lost node, id string, breakIt func()) {
	t.Helper()
	before := lost.since(t)
	breakIt()
	took := c.waitFor(t, healLimit, "the lost node was fenced and is back", func() (bool, string) {
		copies := c.copies("sleep " + id)
		if len(copies) > 1 {
			t.Fatalf("two copies: on %v\n%s", copies, c.state())
		}
		at, online := c.where(t, id), c.online(t)
		whole := len(online) == c.size && len(copies) == 1 && copies[0] == at && lost.since(t) != before
		return whole, fmt.Sprintf("copies on %v, Pacemaker says %q, online %v", copies, at, online)
	})
	t.Logf("whole again after %.1f s; %s runs on %s", took.Seconds(), id, c.where(t, id))
}

// since is when a node was last powered on.
func (n node) since(t *testing.T) string {
	t.Helper()
	out, err := docker("inspect", "--format", "{{.State.StartedAt}}", n.container)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// cut drops what a node sends to, or hears from, the other nodes. The power
// service is none of them.
func (c *labCluster) cut(t *testing.T, n node, chains ...string) {
	t.Helper()
	for _, other := range c.find() {
		if other.name == n.name {
			continue
		}
		for _, chain := range chains {
			direction := map[string]string{"INPUT": "--source", "OUTPUT": "--destination"}[chain]
			n.sh(t, "iptables --append "+chain+" "+direction+" "+c.address(t, other.name)+" --jump DROP")
		}
	}
}

// TestLostNodes: a node that is frozen, or that hears nobody, or that nobody hears,
// is fenced before its services start elsewhere, and comes back by itself.
func TestLostNodes(t *testing.T) {
	c := newCluster(t, 3)
	addSleep(t, c, "once", "any")
	for _, fault := range []struct {
		name string
		of   func(n node)
	}{
		{"frozen", func(n node) {
			if _, err := docker("pause", n.container); err != nil {
				t.Fatal(err)
			}
		}},
		{"hears nobody", func(n node) { c.cut(t, n, "INPUT") }},
		{"nobody hears it", func(n node) { c.cut(t, n, "OUTPUT") }},
	} {
		t.Log(fault.name)
		lost := c.node(t, c.where(t, "once"))
		c.loses(t, lost, "once", func() { fault.of(lost) })
	}
}

// TestTwoNodesCut: of two nodes each has quorum, so the cut decides nothing; the
// first one wins.
func TestTwoNodesCut(t *testing.T) {
	c := newCluster(t, 2)
	addSleep(t, c, "once", "any")
	loser := c.node(t, "node1")
	c.loses(t, loser, "once", func() { c.cut(t, loser, "INPUT", "OUTPUT") })
	if at := c.where(t, "once"); at == "" {
		t.Error("the service is lost")
	}
}
