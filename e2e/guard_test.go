//go:build lab

package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// copyWatch writes a line with the time whenever the number of a node's
// processes of a name changes, each 5 ms, until its standard input ends.
const copyWatch = `use Time::HiRes "time"; $| = 1; my $name = shift; my $last = -1; my $in = ""; vec($in, 0, 1) = 1;
until (select(my $ready = $in, undef, undef, 0.005)) {
	my $n = 0;
	for (glob "/proc/[0-9]*/stat") {
		open my $f, "<", $_ or next; my $text = <$f>; close $f;
		$n++ if defined $text && $text =~ /\((.*)\) ([A-Z])/ && $1 eq $name && $2 ne "Z" && $2 ne "X";
	}
	printf "%.4f %d\n", time, $n if $n != $last; $last = $n;
}`

// runs is a change of what runs: whether a node has a copy from that time on.
type runs struct {
	at   float64 // s since 1970
	node string
	any  bool
}

// watchCopies watches which nodes run processes of that name, until the returned
// function is called, which gives all changes in order. The nodes share a clock.
func (c *labCluster) watchCopies(t *testing.T, process string) func() []runs {
	t.Helper()
	var stops []func() []runs
	for _, n := range c.running() {
		cmd := exec.Command("docker", "exec", "--interactive", n.container, "perl", "-e", copyWatch, process)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		stdin, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stdin.Close() })
		stops = append(stops, func() []runs {
			stdin.Close()
			if err := cmd.Wait(); err != nil {
				t.Fatalf("watch %s: %v\n%s", n.name, err, out.String())
			}
			return parseRuns(t, n.name, out.String())
		})
	}
	return func() []runs {
		var all []runs
		for _, stop := range stops {
			all = append(all, stop()...)
		}
		slices.SortFunc(all, func(a, b runs) int { return int((a.at - b.at) * 1e6) })
		return all
	}
}

func parseRuns(t *testing.T, node, text string) (all []runs) {
	t.Helper()
	for line := range strings.Lines(text) {
		var at float64
		var count int
		if _, err := fmt.Sscan(line, &at, &count); err != nil {
			t.Fatalf("watch of %s says %q: %v", node, line, err)
		}
		// A daemon that forks is two processes for a moment.
		if last := len(all) - 1; last < 0 || all[last].any != (count > 0) {
			all = append(all, runs{at, node, count > 0})
		}
	}
	return all
}

// outage is what the changes say about one fault.
type outage struct {
	gone, again, double float64 // s: from the fault to no copy there, to one anywhere; two at a time
}

func measure(all []runs, fault float64, victim string) outage {
	o := outage{gone: -1, again: -1}
	on := map[string]bool{}
	nodes := func() (n int) {
		for _, any := range on {
			if any {
				n++
			}
		}
		return n
	}
	since := 0.0
	for _, change := range all {
		if nodes() > 1 {
			o.double += change.at - since
		}
		on[change.node], since = change.any, change.at
		switch {
		case change.at < fault:
		case !change.any && change.node == victim && o.gone < 0:
			o.gone = change.at - fault
		case change.any && o.gone >= 0 && o.again < 0:
			o.again = change.at - fault
		}
	}
	return o
}

// killDaemon kills a daemon, not a fork of it, and returns when, in s since 1970.
func (n node) killDaemon(t *testing.T, daemon string) (pid string, at float64) {
	t.Helper()
	pid = n.pidOf(daemon)
	out := n.sh(t, `perl -MTime::HiRes=time -e 'printf "%.4f", time; kill KILL => shift or die' "$1"`, pid)
	at, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if err != nil {
		t.Fatal(err)
	}
	return pid, at
}

// pidOf is the oldest process with that name, which is cut at 15 characters.
func (n node) pidOf(name string) string {
	out, _ := n.try(`pgrep --oldest --exact "$1"`, name)
	return strings.TrimSpace(out)
}

const (
	// goneLimit is when at the latest nothing is left of a service, on a machine
	// as busy as the lab's. The others need 2.2 s at least to miss a Corosync, and
	// 0.15 s to start what a controller had.
	goneLimit = time.Second
	// backLimit is when at the latest everything runs again, without anybody.
	backLimit = 60 * time.Second
)

// waitWhole waits until all nodes are online and the service runs, on one.
func (c *labCluster) waitWhole(t *testing.T) {
	t.Helper()
	c.waitFor(t, backLimit, "all nodes are online and the service runs on one", func() (bool, string) {
		online, at, copies := c.online(t), c.where(t, guardedID), c.copies(guardedMark)
		return len(online) == c.size && at != "" && slices.Equal(copies, []string{at}),
			fmt.Sprintf("%v are online, Pacemaker says it runs on %q, processes on %v", online, at, copies)
	})
}

// The service of these tests.
const (
	guardedID, guardedProcess = "redis", "redis-server"
	guardedMark               = "redis-server 0.0.0.0:6460" // as it names itself
)

// breakDaemon kills a daemon where the service runs, and fails the test where a
// copy is left there, two run at a time, or the node does not come back.
func (c *labCluster) breakDaemon(t *testing.T, daemon string) {
	t.Helper()
	c.waitWhole(t)
	victim := c.node(t, c.where(t, guardedID))
	stop := c.watchCopies(t, guardedProcess)
	c.waitFor(t, soon, "the copies are watched", func() (bool, string) {
		var on []string
		for _, n := range c.running() {
			if n.pidOf("perl") != "" {
				on = append(on, n.name)
			}
		}
		return len(on) == c.size, fmt.Sprintf("on %v", on)
	})
	pid, fault := victim.killDaemon(t, daemon)
	c.waitFor(t, backLimit, "there is another "+daemon, func() (bool, string) {
		now := victim.pidOf(daemon)
		return now != "" && now != pid, now
	})
	// The others may take the detection time to find out.
	c.stays(t, 4*time.Second, "not two nodes run it", func() (bool, string) {
		on := c.copies(guardedMark)
		return len(slices.Compact(on)) < 2, fmt.Sprintf("on %v", on)
	})
	if left := victim.sh(t, `ls /dev/shm | grep -E "^qb-(corosync-)?$1-" || true`, pid); left != "" && daemon == "corosync" {
		t.Errorf("it left in shared memory: %s", left)
	}
	c.waitWhole(t)
	back := float64(time.Now().UnixMicro())/1e6 - fault
	all := stop()
	o := measure(all, fault, victim.name)
	t.Logf("%s killed on %s: nothing left after %.0f ms, runs again after %.2f s, two copies for %.2f s, all well by %.1f s",
		daemon, victim.name, 1000*o.gone, o.again, o.double, back)
	if o.gone < 0 || o.gone > goneLimit.Seconds() {
		t.Errorf("the service ran on after the death of %s: %+v", daemon, all)
	}
	if o.double > 0 || o.again < 0 {
		t.Errorf("two copies, or none, after the death of %s: %+v", daemon, all)
	}
}

// TestGuard kills the daemons without which a node is not seen by the others.
func TestGuard(t *testing.T) {
	c := newCluster(t, 3, "--fencing=off")
	c.add(t, guardedID, "any", nil, redis(6460)).ok(t)
	for _, daemon := range []string{"corosync", "pacemaker-contr", "pacemaker-based"} {
		t.Run(daemon, func(t *testing.T) {
			defer c.report(t)
			c.breakDaemon(t, daemon)
		})
	}
	t.Run("stops", func(t *testing.T) {
		defer c.report(t)
		guardLeavesStopsAlone(t, c)
	})
	t.Run("bound to Corosync, without a guard", func(t *testing.T) {
		defer c.report(t)
		for _, n := range c.running() {
			n.sh(t, "systemctl disable --now cluster-guard.service")
		}
		c.breakDaemon(t, "corosync")
	})
}

// guardLeavesStopsAlone stops daemons as an administrator does: Pacemaker stops
// its services, without delay, and the guard does nothing.
func guardLeavesStopsAlone(t *testing.T, c *labCluster) {
	for _, command := range []string{"stop pacemaker", "restart pacemaker", "stop corosync", "restart corosync"} {
		c.waitWhole(t)
		n := c.node(t, c.where(t, guardedID))
		// Of a node that has just joined again is not tested how it stops.
		n.sh(t, "crm_resource --wait --timeout=30s")
		begin := time.Now()
		n.sh(t, "systemctl "+command)
		took := time.Since(begin)
		t.Logf("systemctl %s took %.2f s", command, took.Seconds())
		if took > 8*time.Second {
			t.Errorf("systemctl %s took %v", command, took)
		}
		if failed := n.sh(t, "systemctl list-units --failed --plain --no-legend"); failed != "" {
			t.Errorf("after systemctl %s: %s", command, failed)
		}
		n.sh(t, "systemctl start pacemaker")
		if said := n.sh(t, "journalctl --unit=cluster-guard --output=cat --since=@"+strconv.FormatInt(begin.Unix(), 10)); strings.Contains(said, "died: killed") {
			t.Errorf("after systemctl %s the guard said: %s", command, said)
		}
	}
	c.waitWhole(t)
	if got := c.service(t, guardedID); got.Failures != 0 {
		t.Errorf("status says %+v", got)
	}
}
