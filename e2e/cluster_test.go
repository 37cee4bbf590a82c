//go:build lab

package e2e

import (
	"strconv"
	"sync"
	"testing"
	"time"
)

// bootTimeout is generous: the bench measures.
const bootTimeout = "170"

// labCluster is a cluster of the lab, and the operator who made it.
type labCluster struct {
	operator
	name string
	size int

	reported map[string]bool // by test
}

// sharedCluster is booted for the first test that needs it.
type sharedCluster struct {
	once    sync.Once
	cluster *labCluster
	booted  result
}

// shared is the cluster of all tests that kill no node. They remove what they
// add.
func shared(t *testing.T) *labCluster {
	t.Helper()
	needEngine(t)
	lab.shared.once.Do(func() {
		c := &labCluster{operator: first(), name: newName(), size: 3}
		c.create(t).ok(t)
		lab.shared.cluster = c
		lab.shared.booted = c.boot(t)
	})
	c := lab.shared.cluster
	if c == nil || lab.shared.booted.code != 0 {
		t.Fatalf("the shared cluster did not boot\n%v", lab.shared.booted)
	}
	c.reportOnFailure(t)
	return c
}

// newCluster boots a cluster that ends with the test. Tests with one of their own
// are parallel, for they mostly wait; except where a busy machine would fail them.
func newCluster(t *testing.T, size int, flags ...string) *labCluster {
	t.Helper()
	c := createCluster(t, size, flags...)
	c.boot(t).ok(t)
	return c
}

// createCluster only creates it.
func createCluster(t *testing.T, size int, flags ...string) *labCluster {
	t.Helper()
	needEngine(t)
	c := &labCluster{operator: first(), name: newName(), size: size}
	c.create(t, flags...).ok(t)
	t.Cleanup(func() {
		c.run(t, "local", "nodes", "terminate", c.name).ok(t)
		c.run(t, "local", "destroy", c.name).ok(t)
	})
	c.reportOnFailure(t)
	return c
}

func (c *labCluster) create(t *testing.T, flags ...string) result {
	return c.run(t, append([]string{"local", "create", c.name, strconv.Itoa(c.size)}, flags...)...)
}

func (c *labCluster) boot(t *testing.T) result {
	return c.run(t, "local", "nodes", "boot", c.name, "--wait-timeout="+bootTimeout)
}

// reportOnFailure shows what the nodes know, before the cluster is taken down.
func (c *labCluster) reportOnFailure(t *testing.T) { t.Cleanup(func() { c.report(t) }) }

// report shows what the nodes know if the test has failed, once: before the
// first clean-up changes it.
func (c *labCluster) report(t *testing.T) {
	if !t.Failed() || c.reported[t.Name()] {
		return
	}
	if c.reported == nil {
		c.reported = map[string]bool{}
	}
	c.reported[t.Name()] = true
	t.Log(c.state())
	for _, n := range c.running() {
		out, _ := n.try("journalctl --quiet --no-pager --output=short-precise -u corosync -u pacemaker -u pacemaker_remote -n 20 | cut -c 1-240")
		t.Logf("journal of %s:\n%s", n.name, out)
	}
}

// state is all that the cluster says of itself, for the reader of a failure.
func (c *labCluster) state() string {
	text := c.quietly("status", c.name, "-o", "json").String()
	if running := c.running(); len(running) > 0 {
		out, _ := running[0].try("crm_mon --one-shot --inactive --failcounts")
		text += "\ncrm_mon on " + running[0].name + ":\n" + out
	}
	return text
}

const (
	pause = 100 * time.Millisecond
	// soon is when at the latest what ought to happen at once has happened, on
	// a machine as busy as the lab's.
	soon = 15 * time.Second
)

// waitFor waits until check says it is done. When the time is over the test
// ends with what check saw last.
func (c *labCluster) waitFor(t testing.TB, limit time.Duration, what string, check func() (done bool, seen string)) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		done, seen := check()
		if done {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			t.Fatalf("after %v still waiting until %s; seen last: %s\n%s", limit, what, seen, c.state())
		}
		time.Sleep(pause)
	}
}

// stays fails the test if check does not hold all the time.
func (c *labCluster) stays(t testing.TB, duration time.Duration, what string, check func() (holds bool, seen string)) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < duration; time.Sleep(pause) {
		if holds, seen := check(); !holds {
			t.Fatalf("after %v it is no longer so that %s; seen: %s\n%s", time.Since(begin), what, seen, c.state())
		}
	}
}
