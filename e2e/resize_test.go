//go:build lab

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// redisPID is the process of a Redis, which must stay the same while the cluster
// grows and shrinks around it.
func (c *labCluster) redisPID(t *testing.T, id string) string {
	t.Helper()
	return c.node(t, c.where(t, id)).mainPID(t, id)
}

// TestGrowAndShrink leads one node to three and back, under a service that
// notices nothing.
func TestGrowAndShrink(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.add(t, "redis", "node0", nil, redis(6440)).ok(t)
	pid := c.redisPID(t, "redis")
	undisturbed := func(after string, online ...string) {
		t.Helper()
		if now := c.redisPID(t, "redis"); now != pid {
			t.Fatalf("%s: redis is process %s, not %s", after, now, pid)
		}
		if got := c.online(t); !slices.Equal(got, online) {
			t.Fatalf("%s: online are %v, not %v", after, got, online)
		}
		for _, name := range online {
			n := c.node(t, name)
			expected := n.sh(t, "corosync-quorumtool -s | sed -n 's/^Expected votes: *//p'")
			if strings.TrimSpace(expected) != fmt.Sprint(len(online)) {
				t.Errorf("%s: %s expects %s votes", after, name, expected)
			}
		}
	}
	c.run(t, "add", "node", c.name).ok(t).says(t, "added node1 (full)")
	undisturbed("1 to 2", "node0", "node1")
	c.run(t, "add", "node", c.name, "2").ok(t).says(t, "added node2 (full), node3 (full)")
	undisturbed("2 to 4", "node0", "node1", "node2", "node3")

	// A node that is dead, and one that is no more.
	c.kill(t, "node3")
	c.run(t, "remove", "node", c.name, "node3").ok(t)
	undisturbed("a dead one removed", "node0", "node1", "node2")
	if _, err := docker("rm", "--force", "--volumes", c.node(t, "node2").container); err != nil {
		t.Fatal(err)
	}
	c.run(t, "remove", "node", c.name, "node2").ok(t)
	undisturbed("a vanished one removed", "node0", "node1")

	c.add(t, "front", "any", []string{"--force-daemonize"}, sleeper("front")).ok(t)
	c.add(t, "bound", "node1", []string{"--force-daemonize"}, sleeper("bound")).ok(t)
	left := c.run(t, "remove", "node", c.name, "node1").ok(t).says(t, "removed node1")
	if !strings.Contains(left.stderr, "run nowhere now: bound") {
		t.Errorf("it does not say what is stranded\n%v", left)
	}
	undisturbed("2 to 1", "node0")
	if at := c.where(t, "front"); at != "node0" {
		t.Errorf("front runs on %q", at)
	}
	if cib := c.ask(t, "cibadmin --query"); strings.Contains(cib, `uname="node1"`) || strings.Contains(cib, `uname="node3"`) {
		t.Errorf("the cluster still knows nodes that are no more:\n%s", cib)
	}
	// An index is never used again.
	c.run(t, "add", "node", c.name).ok(t).says(t, "added node4 (full)")
	undisturbed("1 to 2 again", "node0", "node4")
	c.run(t, "remove", "node", c.name, "node4").ok(t)
	c.run(t, "remove", "node", c.name, "node0").fails(t, 1, "it is the only node of cluster")
	undisturbed("nothing", "node0")
}
