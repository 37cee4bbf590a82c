//go:build lab

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTwentyAtOnce is what the old tool lost services at.
func TestTwentyAtOnce(t *testing.T) {
	c := shared(t)
	const n = 20
	id := func(i int) string { return fmt.Sprintf("many-%02d", i) }
	all := func(what string, args func(i int) []string) {
		t.Helper()
		begin := time.Now()
		results := make([]result, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() { results[i] = c.quietly(args(i)...) })
		}
		group.Wait()
		for i, r := range results {
			if r.code != 0 {
				t.Errorf("%s %s: %v", what, id(i), r)
			}
		}
		t.Logf("%s by %d commands at once took %.1f s", what, n, time.Since(begin).Seconds())
	}
	for i := range n {
		c.removeAtEnd(t, id(i))
	}
	all("add", func(i int) []string {
		return append([]string{"add", "service", c.name, id(i), "any", "--force-daemonize", "--"}, sleeper(id(i))...)
	})
	if t.Failed() {
		t.FailNow()
	}
	byNode := map[string]int{}
	copies := c.commandLines()
	for i := range n {
		at := c.where(t, id(i))
		if found := copies.on("sleep " + id(i)); !slices.Equal(found, []string{at}) {
			t.Errorf("service %s runs on %v, and Pacemaker says on %q", id(i), found, at)
		}
		byNode[at]++
	}
	if len(byNode) != 3 {
		t.Errorf("they do not spread over the nodes: %v", byNode)
	}
	all("remove", func(i int) []string { return []string{"remove", "service", c.name, id(i)} })
	if copies := c.commandLines().on("sleep many-"); len(copies) > 0 {
		t.Errorf("processes still run on %v", copies)
	}
	for _, i := range []int{0, n / 2, n - 1} {
		c.leavesNothing(t, id(i))
	}
	if cib := c.ask(t, "cibadmin --query"); strings.Contains(cib, "service-many-") {
		t.Errorf("the CIB still knows some of them:\n%s", cib)
	}
}

// TestTwelveNodes is the size at which the old tool became unreliable.
func TestTwelveNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 12)
	if online := c.online(t); len(online) != 12 {
		t.Fatalf("%d nodes are online", len(online))
	}
	c.add(t, "redis", "any", nil, redis(6400)).ok(t)
	victim := c.where(t, "redis")
	c.kill(t, victim)
	n := c.waitMoved(t, "redis", victim)
	c.run(t, "node", "ssh", c.name, n.name, "--", "redis-cli", "-p", "6400", "ping").ok(t).says(t, "PONG")
	if online := c.online(t); len(online) != 11 {
		t.Errorf("%d nodes are online after one died", len(online))
	}
	c.refills(t, "redis", victim)
}

// refills checks that a service gets another candidate for a node that died,
// without any command of ours. The timer is not waited for.
func (c *labCluster) refills(t *testing.T, id, dead string) {
	t.Helper()
	query := "cibadmin --query --scope resources"
	if resources := c.ask(t, query); !strings.Contains(resources, `value="`+dead+`"`) {
		t.Errorf("%s is no candidate of %s any more, before the refill", dead, id)
	}
	dc := c.node(t, strings.TrimSpace(c.ask(t, "crmadmin --dc_lookup --quiet")))
	if state := strings.TrimSpace(dc.sh(t, "systemctl is-active cluster-candidates.timer")); state != "active" {
		t.Errorf("the timer on %s is %s", dc.name, state)
	}
	dc.sh(t, "systemctl start cluster-candidates.service")
	mon, resources := c.ask(t, "crm_mon -1"), c.ask(t, query)
	if strings.Contains(resources, `value="`+dead+`"`) || strings.Count(resources, `value="node`) != 3 {
		t.Errorf("after the death of %s, the candidates of %s are not refilled:\n%s\n%s", dead, id, resources, mon)
	}
}
