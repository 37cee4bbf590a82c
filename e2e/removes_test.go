//go:build lab

package e2e

import (
	"bufio"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// dead fails the test if a process is there.
func (n node) dead(t *testing.T, pid string) {
	t.Helper()
	if out, alive := n.try(`test -d "/proc/$1" && cat "/proc/$1/status"`, pid); alive {
		t.Errorf("process %s is still there on %s:\n%s", pid, n.name, out)
	}
}

func TestRemoveReturnsWhenItIsGone(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "polite", "any")
	// Its children ignore TERM, too.
	c.add(t, "stubborn", "any", foreground(), script(`trap "" TERM; while :; do sleep 1; done`)).ok(t)
	for _, id := range []string{"polite", "stubborn"} {
		n := c.node(t, c.where(t, id))
		pid := n.mainPID(t, id)
		c.run(t, "remove", "service", c.name, id).ok(t).says(t, id)
		n.dead(t, pid)
		c.leavesNothing(t, id)
		c.run(t, "remove", "service", c.name, id).fails(t, 5, `service "`+id+`"`)
	}
}

func TestRemoveByIndexAndAll(t *testing.T) {
	c := shared(t)
	for _, id := range []string{"index-b", "index-a", "index-c"} {
		addSleep(t, c, id, "any")
	}
	ids := func() (ids []string) {
		for _, s := range decode[[]struct{ ID string }](t, c.run(t, "list", "services", c.name, "-o", "json").ok(t)) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	if got := ids(); !slices.Equal(got, []string{"index-a", "index-b", "index-c"}) {
		t.Fatalf("the services are %v", got)
	}
	c.run(t, "remove", "service", c.name, "3").fails(t, 5, `"3"`)
	c.run(t, "remove", "service", c.name, "1").ok(t).says(t, "index-b")
	if got := ids(); !slices.Equal(got, []string{"index-a", "index-c"}) {
		t.Fatalf("after removing index 1 the services are %v", got)
	}
	c.run(t, "remove", "all", "services", c.name).ok(t).says(t, "2")
	if got := ids(); len(got) != 0 {
		t.Errorf("after removing all the services are %v", got)
	}
	if copies := c.copies("sleep index-"); len(copies) > 0 {
		t.Errorf("processes still run on %v", copies)
	}
	c.run(t, "remove", "all", "services", c.name).ok(t)
}

func TestRestart(t *testing.T) {
	c := shared(t)
	for _, id := range []string{"restart-a", "restart-b"} {
		addSleep(t, c, id, "any")
	}
	n := c.node(t, c.where(t, "restart-a"))
	pid := n.mainPID(t, "restart-a")
	n.sh(t, `kill -KILL "$1"`, pid)
	c.waitRestarted(t, n, "restart-a", pid)
	if got := c.service(t, "restart-a").Failures; got != 1 {
		t.Errorf("after a death it has %d failures", got)
	}
	pid = n.mainPID(t, "restart-a")
	c.run(t, "restart", "service", c.name, "restart-a").ok(t).says(t, "restart-a", "runs again on")
	n.dead(t, pid)
	if got := c.service(t, "restart-a"); got.Failures != 0 || got.State != "running" {
		t.Errorf("after restart: %+v", got)
	}
	before := map[string]string{}
	for _, id := range []string{"restart-a", "restart-b"} {
		before[id] = c.node(t, c.where(t, id)).mainPID(t, id)
	}
	c.run(t, "restart", "service", c.name, "all").ok(t).says(t, "restart-a", "restart-b")
	for id, pid := range before {
		if now := c.node(t, c.where(t, id)).mainPID(t, id); now == pid || now == "0" {
			t.Errorf("restart all: %s has pid %s, before %s", id, now, pid)
		}
	}
	c.run(t, "restart", "service", c.name, "none").fails(t, 5, `service "none"`).hints(t, "restart-a")
}

func TestServiceStatus(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "asked", "any", "--failover=false")
	c.run(t, "service", "status", c.name, "asked").ok(t).says(t, "asked", "running")
	c.run(t, "service", "status", c.name, "none").fails(t, 5, `service "none"`)
	n := c.node(t, c.where(t, "asked"))
	n.sh(t, `kill -KILL "$1"`, n.mainPID(t, "asked"))
	c.waitState(t, "asked", "failed")
	c.run(t, "service", "status", c.name, "asked").fails(t, 3, `service "asked"`, "failed", "KILL").says(t, "failed")
}

func TestLogs(t *testing.T) {
	c := shared(t)
	c.add(t, "talks", "any", foreground(), script(`echo hello out; echo hello err >&2; while :; do sleep 0.2; echo tick; done`)).ok(t)
	c.run(t, "service", "logs", c.name, "talks", "-n", "1000").ok(t).says(t, "hello out", "hello err", "tick")
	if r := c.run(t, "service", "logs", c.name, "talks", "-n", "1").ok(t); strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("-n 1 prints\n%s", r.stdout)
	}
	c.run(t, "service", "logs", c.name, "none").fails(t, 5, `service "none"`)

	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	follow := c.command(ctx, "service", "logs", c.name, "talks", "-f", "-n", "0")
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if lines++; lines == 3 {
			_ = follow.Process.Signal(os.Interrupt)
		}
	}
	begin := time.Now()
	if code := exitCode(follow.Wait()); code != 0 && code != 130 || lines < 3 || ctx.Err() != nil {
		t.Errorf("logs -f printed %d lines and exited %d, %v after Ctrl-C", lines, code, time.Since(begin))
	}
}
