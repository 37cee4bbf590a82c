//go:build lab

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// background is a command of ours that is still running.
type background struct {
	cmd    *exec.Cmd
	lines  chan string // of its standard error
	cancel context.CancelFunc
}

func (o operator) start(t *testing.T, args ...string) *background {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	b := &background{cmd: o.command(ctx, args...), lines: make(chan string, 1000), cancel: cancel}
	stderr, err := b.cmd.StderrPipe()
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cancel)
	go func() {
		defer close(b.lines)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			b.lines <- scanner.Text()
		}
	}()
	return b
}

// until returns once a line with that word was printed; false if the command
// ended before.
func (b *background) until(word string) bool {
	for line := range b.lines {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// end sends a signal and returns the exit code; -1 for a death by signal.
func (b *background) end(signal syscall.Signal) int {
	_ = b.cmd.Process.Signal(signal)
	for range b.lines { // all is read before Wait closes the pipe
	}
	err := b.cmd.Wait()
	b.cancel()
	return exitCode(err)
}

// TestKillDuringBoot ends one boot after the other, each as it comes to a later
// step, and then lets one finish.
func TestKillDuringBoot(t *testing.T) {
	t.Parallel()
	c := createCluster(t, 3)
	c.run(t, "status", c.name).fails(t, 1, "no nodes").hints(t, "nodes boot "+c.name)
	c.run(t, "local", "nodes", "boot", c.name, "--wait-timeout=1").fails(t, 1, "gave up after 1s").hints(t, "nodes boot "+c.name, "nodes terminate")
	for _, kill := range []struct {
		step   string
		signal syscall.Signal
		code   int
	}{
		{"waiting for sshd", syscall.SIGKILL, -1},
		{"looking at what is there", syscall.SIGINT, 130},
		{"installing sirikata-node", syscall.SIGKILL, -1},
		{"configuring with Puppet", syscall.SIGKILL, -1},
		{"starting Corosync and Pacemaker", syscall.SIGKILL, -1},
		{"waiting for the cluster", syscall.SIGKILL, -1},
	} {
		b := c.start(t, "local", "nodes", "boot", c.name)
		reached := b.until(kill.step)
		if code := b.end(kill.signal); !reached || code != kill.code {
			t.Fatalf("boot was to end at %q (reached: %v) by %v: exit code %d", kill.step, reached, kill.signal, code)
		}
	}
	c.boot(t).ok(t)
	c.wellFormed(t)
	c.boot(t).ok(t).says(t, "nothing to do")
	addSleep(t, c, "after", "any")
}

// TestKillDuringAllocation kills a boot at the first node that it started.
func TestKillDuringAllocation(t *testing.T) {
	t.Parallel()
	c := createCluster(t, 3)
	b := c.start(t, "local", "nodes", "boot", c.name)
	if reached, code := b.until(": started"), b.end(syscall.SIGKILL); !reached || code != -1 {
		t.Fatalf("boot was to be killed at its first node (reached: %v): exit code %d", reached, code)
	}
	c.run(t, "local", "nodes", "boot", c.name, "--wait-timeout=0").ok(t).says(t, "allocated 3 nodes")
	if running := c.running(); len(running) != 3 {
		t.Errorf("%d nodes run, not 3", len(running))
	}
}

// TestKillDuringPuppet kills a boot while Puppet runs, which goes on without it.
func TestKillDuringPuppet(t *testing.T) {
	t.Parallel()
	c := createCluster(t, 3)
	b := c.start(t, "local", "nodes", "boot", c.name)
	if !b.until("configuring with Puppet") {
		t.Fatal("boot ended before Puppet ran")
	}
	c.waitFor(t, soon, "Puppet runs", func() (bool, string) {
		copies := c.copies("puppet apply")
		return len(copies) > 0, fmt.Sprintf("it runs on %v", copies)
	})
	// Another command is told who holds the cluster, and loses nothing.
	c.run(t, "local", "nodes", "boot", c.name).fails(t, 6, c.name, fmt.Sprint(b.cmd.Process.Pid), "nodes boot").hints(t, "wait")
	c.run(t, "local", "nodes", "kill", c.name, "node0").fails(t, 6, c.name)
	c.run(t, "local", "nodes", "terminate", c.name).fails(t, 6, c.name)
	c.run(t, "destroy", c.name).fails(t, 6, c.name)
	b.end(syscall.SIGKILL)
	c.boot(t).ok(t)
	c.wellFormed(t)
	// Half a cluster is completed, too: one node is taken away with all it had.
	if _, err := docker("rm", "--force", "--volumes", c.node(t, "node1").container); err != nil {
		t.Fatal(err)
	}
	c.boot(t).ok(t).says(t, "3 nodes online")
	c.wellFormed(t)
	c.ends(t)
}

// wellFormed fails the test unless all nodes are one cluster with one key.
func (c *labCluster) wellFormed(t *testing.T) {
	t.Helper()
	if online := c.online(t); len(online) != c.size {
		t.Fatalf("%v are online, not %d nodes", online, c.size)
	}
	facts := map[string]bool{}
	for _, n := range c.running() {
		facts[n.sh(t, "sha256sum </etc/corosync/authkey; sha256sum </etc/corosync/corosync.conf; corosync-quorumtool -s | grep -E '^(Quorate|Nodes):'")] = true
	}
	if len(facts) != 1 || !strings.Contains(fmt.Sprint(facts), "Quorate:          Yes") {
		t.Errorf("the nodes differ, or have no quorum: %v", facts)
	}
}

// ends takes a cluster down step by step, and looks at what is left.
func (c *labCluster) ends(t *testing.T) {
	t.Helper()
	c.run(t, "local", "destroy", c.name).fails(t, 1, c.name, "still has nodes").hints(t, "nodes terminate "+c.name)
	c.run(t, "local", "nodes", "terminate", c.name).ok(t).says(t, "released 3 nodes")
	for _, list := range [][]string{{"ps", "--all"}, {"network", "ls"}, {"volume", "ls"}} {
		out, err := docker(append(list, "--quiet", "--filter", "label="+clusterLabel+"="+c.name)...)
		if err != nil || out != "" {
			t.Errorf("docker %v still shows %q (%v)", list, out, err)
		}
	}
	c.run(t, "local", "nodes", "terminate", c.name).ok(t).says(t, "has no nodes: nothing to do")
	c.run(t, "local", "members", "info", c.name).ok(t).says(t, "[]")
	c.run(t, "status", c.name).fails(t, 1, "no nodes")
	c.run(t, "local", "destroy", c.name).ok(t)
	c.run(t, "status", c.name).fails(t, 5, c.name)
	c.run(t, "local", "destroy", c.name).fails(t, 5, c.name)
	c.create(t).ok(t) // for the clean-up, and because it must be possible
}

// TestKillDuringAdd kills an add after ever longer times, and adds again.
func TestKillDuringAdd(t *testing.T) {
	c := shared(t)
	for _, after := range []time.Duration{50, 150, 250, 400, 600} {
		id := fmt.Sprintf("killed-%d", after)
		t.Run(id, func(t *testing.T) {
			c.removeAtEnd(t, id)
			args := append([]string{"add", "service", c.name, id, "any", "--force-daemonize", "--"}, sleeper(id)...)
			b := c.start(t, args...)
			time.Sleep(after * time.Millisecond) // the moment is what is tested
			b.end(syscall.SIGKILL)
			c.run(t, args...).ok(t).says(t, id, " on "+c.where(t, id))
			if at := c.where(t, id); !slices.Equal(c.copies("sleep "+id), []string{at}) {
				t.Errorf("it runs on %v, and Pacemaker says on %q", c.copies("sleep "+id), at)
			}
		})
	}
}

// slowDaemon takes a while to fork.
func slowDaemon(mark string) []string { return script("sleep 4; perl -e sleep "+mark+" & exit 0", "") }

// waitCreated waits until the cluster knows a service.
func (c *labCluster) waitCreated(t *testing.T, id string) {
	t.Helper()
	c.waitFor(t, soon, fmt.Sprintf("the cluster knows service %q", id), func() (bool, string) {
		out := c.primitives(t)
		return strings.Contains(out, `"service-`+id+`"`), out
	})
}

func TestKillDuringSlowAdd(t *testing.T) {
	c := shared(t)
	c.removeAtEnd(t, "slow-kill")
	args := append([]string{"add", "service", c.name, "slow-kill", "any", "--"}, slowDaemon("slow-kill")...)
	b := c.start(t, args...)
	c.waitCreated(t, "slow-kill")
	b.end(syscall.SIGKILL)
	c.run(t, args...).ok(t)
	if at := c.where(t, "slow-kill"); !slices.Equal(c.copies("sleep slow-kill"), []string{at}) {
		t.Errorf("it runs on %v, and Pacemaker says on %q", c.copies("sleep slow-kill"), at)
	}
}

// TestInterruptDuringAdd presses Ctrl-C: nothing is left.
func TestInterruptDuringAdd(t *testing.T) {
	c := shared(t)
	c.removeAtEnd(t, "slow-stop")
	b := c.start(t, append([]string{"add", "service", c.name, "slow-stop", "any", "--"}, slowDaemon("slow-stop")...)...)
	c.waitCreated(t, "slow-stop")
	begin := time.Now()
	if code := b.end(syscall.SIGINT); code != 130 {
		t.Errorf("exit code %d, not 130", code)
	}
	t.Logf("it took %.1f s to undo", time.Since(begin).Seconds())
	c.leavesNothing(t, "slow-stop")
	if copies := c.copies("sleep slow-stop"); len(copies) > 0 {
		t.Errorf("it still runs on %v", copies)
	}
	addSleep(t, c, "slow-stop", "any")
}

// TestAddTimeout is given too little time: the same as Ctrl-C, with exit code 1.
func TestAddTimeout(t *testing.T) {
	c := shared(t)
	c.add(t, "late", "any", []string{"--timeout=2s"}, slowDaemon("late")).fails(t, 1, `"late"`, "gave up after 2s")
	c.leavesNothing(t, "late")
}
