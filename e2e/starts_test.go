//go:build lab

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script is a command that runs a shell script, in the foreground unless it
// forks itself.
func script(text string, args ...string) []string {
	return append([]string{"/bin/sh", "-c", text, "sh"}, args...)
}

// leavesNothing fails the test if the cluster or a node knows anything of a
// service.
func (c *labCluster) leavesNothing(t *testing.T, id string) {
	t.Helper()
	if cib := c.ask(t, "cibadmin --query"); strings.Contains(cib, "service-"+id+`"`) || strings.Contains(cib, "service-"+id+"#") {
		var lines []string
		for line := range strings.Lines(cib) {
			if strings.Contains(line, "service-"+id) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		t.Errorf("the CIB still knows service %q:\n%s", id, strings.Join(lines, "\n"))
	}
	for _, n := range c.running() {
		left := n.sh(t, `systemctl list-units --all --no-legend "sirikata-$1.service"; ls -d "/run/sirikata/$1" 2>/dev/null || true`, id)
		if strings.TrimSpace(left) != "" {
			t.Errorf("%s still has of service %q:\n%s", n.name, id, left)
		}
	}
}

// TestServiceThatDoesNotStart holds every way not to start to its reason, and
// to leaving nothing behind: the same id works at once.
func TestServiceThatDoesNotStart(t *testing.T) {
	c := shared(t)
	for _, test := range []struct {
		id, target     string
		flags, command []string
		says           []string // in the error
		prints         string   // among the last lines
	}{
		{id: "dies", target: "any", flags: foreground(), command: script("echo first; echo cannot open the world >&2; exit 3"),
			says: []string{"exited with status 3"}, prints: "cannot open the world"},
		{id: "killed", target: "any", flags: foreground(), command: script("echo going; kill -SEGV $$"),
			says: []string{"SEGV"}, prints: "going"},
		{id: "parent", target: "node1", command: script("echo bad config >&2; exit 9"), says: []string{"exited with status 9", "node1"}, prints: "bad config"},
		{id: "nothing", target: "node0", command: script("exit 0", "PIDFILE"), says: []string{"no pid file"}},
		{id: "missing", target: "any", command: []string{"/no/such/binary"}, says: []string{`"/no/such/binary"`, "does not exist"}},
		{id: "executable", target: "any", command: []string{"/etc/passwd"}, says: []string{`"/etc/passwd"`, "not executable"}},
		{id: "directory", target: "any", command: []string{"/usr"}, says: []string{`"/usr"`}},
		{id: "user", target: "any", flags: foreground("--user=nobody9"), command: sleeper("user"), says: []string{`"nobody9"`, "does not exist"}},
		{id: "cwd", target: "any", flags: foreground("--cwd=/no/such/dir"), command: sleeper("cwd"), says: []string{`"/no/such/dir"`, "does not exist"}},
		{id: "forbidden", target: "any", flags: foreground("--cwd=/root"), command: sleeper("forbidden"), says: []string{`"/root"`, `"sirikata"`}},
	} {
		t.Run(test.id, func(t *testing.T) {
			r := c.add(t, test.id, test.target, test.flags, test.command)
			r.fails(t, 1, append(test.says, fmt.Sprintf("service %q", test.id))...)
			if !strings.Contains(r.stderr, test.prints) {
				t.Errorf("it does not show the last lines, %q\n%v", test.prints, r)
			}
			c.leavesNothing(t, test.id)
			addSleep(t, c, test.id, test.target)
		})
	}
}

// TestForegroundWithoutTheFlag is the usual mistake.
func TestForegroundWithoutTheFlag(t *testing.T) {
	c := shared(t)
	c.add(t, "front", "node0", nil, sleeper("front")).fails(t, 1, "foreground", "--force-daemonize")
	c.leavesNothing(t, "front")
	if copies := c.copies("sleep front"); len(copies) > 0 {
		t.Errorf("it still runs on %v", copies)
	}
}

// TestAddManyOneBad is the case that made the old tool lose services: what
// runs is not touched by what does not start.
func TestFailureTouchesNoOther(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "good", "node1")
	n := c.node(t, "node1")
	pid := n.mainPID(t, "good")
	c.add(t, "bad", "node1", foreground(), script("exit 1")).fails(t, 1, "bad")
	if now := n.mainPID(t, "good"); now != pid {
		t.Errorf("another service was restarted: pid %s, now %s", pid, now)
	}
	for _, s := range c.status(t).Services {
		if s.ID == "bad" || s.ID == "good" && s.State != "running" {
			t.Errorf("status says %+v", s)
		}
	}
}

// TestOneCapableNodeStarts starts where it can: the binary is on one node only.
func TestStartsWhereItCan(t *testing.T) {
	c := shared(t)
	c.node(t, "node2").sh(t, "cp /usr/bin/perl /usr/local/bin/only-here")
	c.add(t, "only", "any", foreground(), []string{"/usr/local/bin/only-here", "-e", "sleep", "only"}).ok(t).says(t, "node2")
	if at := c.where(t, "only"); at != "node2" {
		t.Errorf("it runs on %q", at)
	}
	if copies := c.copies("only-here -e"); !slices.Equal(copies, []string{"node2"}) {
		t.Errorf("it runs on %v", copies)
	}
}
