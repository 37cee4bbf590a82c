//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// loses breaks something and waits until the node that is lost by it was switched
// off and on, and all is as before. At no moment may a service run twice.
func (l *leases) loses(t *testing.T, lost node, breakIt func()) {
	t.Helper()
	before := lost.since(t)
	breakIt()
	l.waitWhole(t, 0, func() (bool, string) {
		return lost.since(t) != before, fmt.Sprintf("%s is on since %s, and was since %s", lost.name, lost.since(t), before)
	})
	l.heldOnce(t)
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

// since is when each node was last powered on.
func (c *labCluster) since(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, n := range c.find() {
		all[n.name] = n.since(t)
	}
	return all
}

// dropping begins (--append) or ends (--delete) to drop what a node hears from
// others (INPUT), or sends to them (OUTPUT). The power service is none of them,
// nor is the referee.
func (c *labCluster) dropping(t *testing.T, change string, n node, others []node, chains ...string) {
	t.Helper()
	for _, other := range others {
		if other.name == n.name {
			continue
		}
		for _, chain := range chains {
			direction := map[string]string{"INPUT": "--source", "OUTPUT": "--destination"}[chain]
			n.sh(t, "iptables -w "+change+" "+chain+" "+direction+" "+c.address(t, other.name)+" --jump DROP")
		}
	}
}

// cut cuts a node off from all others. That ends when it is fenced.
func (c *labCluster) cut(t *testing.T, n node, chains ...string) {
	t.Helper()
	c.dropping(t, "--append", n, c.find(), chains...)
}

// TestLostNodes: a node that is frozen, or that hears nobody, or that nobody hears,
// is fenced before its services start elsewhere, and comes back by itself.
func TestLostNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	l := newLeases(t, c, 3)
	for _, fault := range []struct {
		name string
		of   func(*testing.T, node)
	}{
		{"frozen", freeze},
		{"hears nobody", func(t *testing.T, n node) { c.cut(t, n, "INPUT") }},
		{"nobody hears it", func(t *testing.T, n node) { c.cut(t, n, "OUTPUT") }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			defer c.report(t)
			lost := l.on(t, "node0", "node1", "node2")
			l.loses(t, lost, func() { fault.of(t, lost) })
		})
	}
	for _, daemon := range []string{"corosync", "pacemaker-contr", "pacemaker-based"} {
		t.Run(daemon+" killed", func(t *testing.T) {
			defer c.report(t)
			daemonKilled(t, l, daemon)
		})
	}
	t.Run("nobody fences", func(t *testing.T) {
		defer c.report(t)
		nobodyFences(t, l)
	})
}

func freeze(t *testing.T, n node) {
	t.Helper()
	if _, err := docker("pause", n.container); err != nil {
		t.Fatal(err)
	}
}

// daemonKilled: the node may be fenced or not. No service runs twice, and all is
// well again without anybody.
func daemonKilled(t *testing.T, l *leases, daemon string) {
	victim := l.on(t, "node1", "node2", "node0")
	pid, _ := victim.killDaemon(t, daemon)
	l.waitWhole(t, calm, func() (bool, string) {
		now := victim.pidOf(daemon)
		return now != "" && now != pid, fmt.Sprintf("%s on %s is process %q, and was %s", daemon, victim.name, now, pid)
	})
	l.heldOnce(t)
}

// nobodyFences: as long as the power service does not run, what ran on a lost node
// runs nowhere.
func nobodyFences(t *testing.T, l *leases) {
	power := "sirikata-" + l.c.name + "-power"
	if _, err := docker("stop", power); err != nil {
		t.Fatal(err)
	}
	lost := l.on(t, "node2", "node1", "node0")
	l.loses(t, lost, func() {
		freeze(t, lost)
		l.c.waitFor(t, soon, "status says that the node is lost", func() (bool, string) {
			r := l.c.quietly("status", l.c.name)
			return strings.Contains(r.stdout, "unclean"), r.String()
		})
		ran := len(l.referee.View().Incarnations)
		l.c.stays(t, 2*calm, "what ran on it waits", func() (bool, string) {
			return len(l.referee.View().Incarnations) == ran, fmt.Sprint(l.working())
		})
		if _, err := docker("start", power); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTwoNodes is what happens when one is enough.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	l := newLeases(t, c, 3)
	for _, part := range []struct {
		name string
		test func(*testing.T, *leases)
	}{
		{"the network is cut", twoNodesCut},
		{"one dies", oneOfTwoDies},
		{"both die, one comes back", bothDie},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.test(t, l)
			c.report(t)
		})
	}
}

// twoNodesCut: each has quorum, so the cut decides nothing; the first one wins.
func twoNodesCut(t *testing.T, l *leases) {
	winner, loser := l.c.node(t, "node0"), l.c.node(t, "node1")
	before := winner.since(t)
	l.loses(t, loser, func() { l.c.cut(t, loser, "INPUT", "OUTPUT") })
	if winner.since(t) != before {
		t.Error("the first one was fenced, too")
	}
}

// oneOfTwoDies: the other has quorum and goes on, alone, until boot.
func oneOfTwoDies(t *testing.T, l *leases) {
	dead := l.on(t, "node1", "node0")
	before := dead.since(t)
	l.c.kill(t, dead.name)
	l.c.waitFor(t, failoverLimit, "all services run on the other node", func() (bool, string) {
		status, working := l.c.status(t), l.working()
		for _, id := range l.Services {
			if at := l.c.where(t, id); at == dead.name || !strings.HasSuffix(working[id], " on "+at) {
				return false, fmt.Sprintf("%s runs on %q, heard is %v", id, at, working)
			}
		}
		return status.Quorate && len(working) == len(l.Services), fmt.Sprintf("quorate: %v, heard is %v", status.Quorate, working)
	})
	l.heldOnce(t)
	if dead.since(t) != before {
		t.Errorf("%s was switched on, though it was killed to be off", dead.name)
	}
	goesOn := l.working()
	l.c.boot(t).ok(t).says(t, "2 nodes online")
	l.waitWhole(t, 0, nothingElse)
	if now := l.working(); !maps.Equal(now, goesOn) {
		t.Errorf("the node that came back disturbed the services: %v, before it %v", now, goesOn)
	}
	l.heldOnce(t)
}

// bothDie: one that starts alone cannot know what the other does, and waits for it.
func bothDie(t *testing.T, l *leases) {
	for _, n := range l.c.running() {
		l.c.kill(t, n.name)
	}
	l.c.run(t, "local", "nodes", "start", l.c.name, "node0").ok(t)
	l.c.waitFor(t, failoverLimit, "the one that came back is online", func() (bool, string) {
		r := l.c.quietly("status", l.c.name, "-o", "json")
		return r.code == 0 && decode[status](t, r).Nodes[0].State == "online", r.String()
	})
	l.c.stays(t, calm, "it runs nothing", func() (bool, string) {
		working := l.working()
		return len(working) == 0 && !l.c.status(t).Quorate, fmt.Sprintf("%v", working)
	})
	l.c.run(t, "local", "nodes", "start", l.c.name, "node1").ok(t)
	l.waitWhole(t, 0, nothingElse)
	l.heldOnce(t)
}

// TestEvenSplit: of four nodes that fall apart two and two neither half has
// quorum. Both stop their services and fence nobody; together they go on, without
// anybody.
func TestEvenSplit(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 4)
	l := newLeases(t, c, 6)
	one, other := c.find()[:2], c.find()[2:]
	for _, half := range [][]node{one, other} {
		l.on(t, half[0].name, half[1].name)
	}
	before := c.since(t)
	for _, n := range one {
		c.dropping(t, "--append", n, other, "INPUT", "OUTPUT")
	}
	c.waitFor(t, failoverLimit, "neither half has quorum, and nothing runs", func() (bool, string) {
		working := l.working()
		for _, n := range c.find() {
			if said, _ := n.try("corosync-quorumtool -s"); !strings.Contains(said, "Quorate:          No") {
				return false, n.name + " says: " + said
			}
		}
		return len(working) == 0, fmt.Sprintf("%v", working)
	})
	ran := len(l.referee.View().Incarnations)
	c.stays(t, calm, "nothing runs and nobody is fenced", func() (bool, string) {
		return len(l.referee.View().Incarnations) == ran && maps.Equal(c.since(t), before), fmt.Sprintf("%v %v", l.working(), c.since(t))
	})
	if s := c.status(t); s.Quorate {
		t.Errorf("status says that half of the nodes has quorum: %+v", s)
	}
	for _, n := range one {
		c.dropping(t, "--delete", n, other, "INPUT", "OUTPUT")
	}
	l.waitWhole(t, 0, nothingElse)
	l.heldOnce(t)
	if after := c.since(t); !maps.Equal(after, before) {
		t.Errorf("nodes were fenced: on since %v, before %v", after, before)
	}
}
