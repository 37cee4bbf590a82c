//go:build lab

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// restartLimit is functional, not a benchmark: the goal is 0.2 s.
const restartLimit = 5 * time.Second

// waitRestarted waits until a service runs on the node as another process, also
// in Pacemaker's eyes.
func (c *labCluster) waitRestarted(t *testing.T, n node, id, oldPID string) string {
	t.Helper()
	pid := ""
	c.waitFor(t, restartLimit, fmt.Sprintf("service %q runs again on %s", id, n.name), func() (bool, string) {
		pid = n.mainPID(t, id)
		at := c.where(t, id)
		return pid != "0" && pid != oldPID && at == n.name, fmt.Sprintf("pid %s (was %s) there, Pacemaker says %q", pid, oldPID, at)
	})
	return pid
}

func (c *labCluster) waitState(t *testing.T, id, state string) serviceStatus {
	t.Helper()
	var last serviceStatus
	c.waitFor(t, 2*soon, fmt.Sprintf("service %q is %s", id, state), func() (bool, string) {
		last = c.service(t, id)
		return last.State == state, fmt.Sprintf("%+v", last)
	})
	return last
}

func TestDiesOnce(t *testing.T) {
	c := shared(t)
	c.add(t, "daemon", "any", nil, redis(6420)).ok(t)
	addSleep(t, c, "front", "any")
	for _, id := range []string{"daemon", "front"} {
		n := c.node(t, c.where(t, id))
		pid := n.mainPID(t, id)
		n.sh(t, `kill -KILL "$1"`, pid)
		now := c.waitRestarted(t, n, id, pid)
		got := c.service(t, id)
		if want := (serviceStatus{ID: id, State: "running", Node: n.name, Target: "any", Failover: true, Failures: 1}); got != want {
			t.Errorf("status says %+v, not %+v", got, want)
		}
		if id == "daemon" && strings.TrimSpace(n.sh(t, "cat /run/sirikata/daemon/daemon.pid")) != now {
			t.Errorf("the pid file of the new redis does not name it, %s", now)
		}
	}
}

func TestKeepsDying(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "thrice", "any")
	n := c.node(t, c.where(t, "thrice"))
	for range 2 {
		pid := n.mainPID(t, "thrice")
		n.sh(t, `kill -KILL "$1"`, pid)
		c.waitRestarted(t, n, "thrice", pid)
	}
	n.sh(t, `kill -KILL "$1"`, n.mainPID(t, "thrice"))
	at := ""
	c.waitFor(t, restartLimit, "the service runs on another node", func() (bool, string) {
		at = c.where(t, "thrice")
		return at != "" && at != n.name, fmt.Sprintf("%q", at)
	})
	if copies := c.copies("sleep thrice"); !slices.Equal(copies, []string{at}) {
		t.Errorf("it runs on %v, not on %s alone", copies, at)
	}
	if got := c.service(t, "thrice"); got.State != "running" || got.Failures != 3 || got.Node != at {
		t.Errorf("status says %+v", got)
	}
}

// TestDiesEverywhere counts starts in a file to which the daemon appends.
func TestDiesEverywhere(t *testing.T) {
	c := shared(t)
	const file = "/home/sirikata/starts"
	t.Cleanup(func() {
		for _, n := range c.running() {
			_, _ = n.try(`rm -f "$1"`, file)
		}
	})
	text := `echo start >>"$1"; sleep 0.6; echo "the world is gone: über <b> & \"x\" '漢字'" >&2; exit 7`
	c.add(t, "doomed", "any", foreground(), script(text, file)).ok(t)
	starts := func() int {
		total := 0
		for _, n := range c.running() {
			count, _ := strconv.Atoi(strings.TrimSpace(n.sh(t, "cat \"$1\" 2>/dev/null | wc -l", file)))
			total += count
		}
		return total
	}
	got := c.waitState(t, "doomed", "failed")
	if !strings.Contains(got.Reason, "exited with status 7") || !strings.Contains(got.Reason, "the world is gone") {
		t.Errorf("the reason does not say why, nor its last lines: %q", got.Reason)
	}
	after := starts()
	if after > 12 || after < 3 {
		t.Errorf("it was started %d times", after)
	}
	c.stays(t, 4*time.Second, "it is given up", func() (bool, string) {
		now := starts()
		return now == after, fmt.Sprintf("%d starts, then %d", after, now)
	})
	c.run(t, "service", "status", c.name, "doomed").fails(t, 3, "exited with status 7")
	c.run(t, "service", "logs", c.name, "doomed").ok(t).says(t, "the world is gone")
	c.run(t, "status", c.name).ok(t).says(t, "failed", "the world is gone")
}

// TestRecovers is given up, then mended and restarted by hand.
func TestRecovers(t *testing.T) {
	c := shared(t)
	const flag = "/home/sirikata/mended"
	text := `test -e "$1" || { sleep 0.5; echo not mended yet; exit 1; }; exec perl -e sleep recovers`
	c.add(t, "recovers", "node1", foreground(), script(text, flag)).ok(t)
	c.waitState(t, "recovers", "failed")
	c.run(t, "restart", "service", c.name, "recovers", "--timeout=60s")
	c.waitState(t, "recovers", "failed")
	n := c.node(t, "node1")
	n.sh(t, `touch "$1"`, flag)
	t.Cleanup(func() { _, _ = n.try(`rm -f "$1"`, flag) })
	c.run(t, "restart", "service", c.name, "recovers").ok(t).says(t, "runs again on")
	if got := c.service(t, "recovers"); got.State != "running" || got.Failures != 0 {
		t.Errorf("status says %+v", got)
	}
	if at := c.where(t, "recovers"); !slices.Equal(c.copies("sleep recovers"), []string{at}) {
		t.Errorf("Pacemaker says %q, it runs on %v", at, c.copies("sleep recovers"))
	}
}

func TestWithoutFailover(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "once", "any", "--failover=false")
	n := c.node(t, c.where(t, "once"))
	n.sh(t, `kill -KILL "$1"`, n.mainPID(t, "once"))
	got := c.waitState(t, "once", "failed")
	if got.Failover || got.Failures != 1 || !strings.Contains(got.Reason, "KILL") || !strings.Contains(got.Reason, n.name) {
		t.Errorf("status says %+v", got)
	}
	c.stays(t, 3*time.Second, "it stays stopped", func() (bool, string) {
		copies := c.copies("sleep once")
		return len(copies) == 0, fmt.Sprintf("it runs on %v", copies)
	})
	c.run(t, "restart", "service", c.name, "once").ok(t).says(t, "runs again on "+n.name)
	if got := c.service(t, "once"); got.State != "running" || got.Failures != 0 {
		t.Errorf("after restart status says %+v", got)
	}
}
