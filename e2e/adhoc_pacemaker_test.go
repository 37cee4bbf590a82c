//go:build lab

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// withFailover are hosts, and an operator's cluster of them with the engine
// pacemaker.
type withFailover struct {
	*hosts
	operator
}

const failoverHosts = "world"

// TestAdHocPacemaker makes one cluster of hosts on which bob may use sudo, and
// leaves them as they were.
func TestAdHocPacemaker(t *testing.T) {
	h := newHosts(t)
	w := withFailover{h, h.operator("op")}
	names := []string{"web1", "web2", "web3"}
	for _, name := range names {
		h.booted(t, name, "outer")
	}
	r := w.createOf(t, failoverHosts, append(names, "--engine=pacemaker")...).ok(t)
	if !strings.Contains(r.stderr, "nothing fences these hosts") {
		t.Errorf("it does not say that nothing fences\n%v", r)
	}
	w.run(t, "status", failoverHosts).fails(t, 1).hints(t, "nodes boot "+failoverHosts)
	t.Run("sudo", func(t *testing.T) { w.sudo(t, names) })
	w.run(t, "adhoc", "nodes", "boot", failoverHosts).ok(t).says(t, "is complete: nothing to do")
	t.Run("failover", w.failover)
	t.Run("add and remove", w.addAndRemove)
	t.Run("terminate", func(t *testing.T) { w.terminate(t, names) })
}

// sudo boots the cluster when sudo asks for a password.
func (w withFailover) sudo(t *testing.T, names []string) {
	boot := []string{"adhoc", "nodes", "boot", failoverHosts}
	w.run(t, boot...).fails(t, 1, "web1", "sudo").hints(t, "sudoers")
	for _, name := range names {
		w.sh(t, name, "root", "echo '"+hostUser+":two words' | chpasswd")
		w.sudoers(t, name, anything)
	}
	w.run(t, boot...).fails(t, 1, "web1", "sudo asks for a password").hints(t, "--ask-sudo-password")
	for _, name := range names {
		if made := w.sh(t, name, "root", "ls -d /etc/sirikata-cluster /var/lib/sirikata-cluster 2>/dev/null || true"); made != "" {
			t.Errorf("%s was changed all the same: %s", name, made)
		}
	}
	terminal := w.operator
	terminal.wrap = append([]string{"docker", "exec", "--tty"}, w.wrap[2:]...)
	shown, code := terminal.typed(t, "two words\n", append(boot, "--ask-sudo-password")...)
	if code != 0 || !strings.Contains(shown, "is quorate: 3 nodes online") {
		t.Fatalf("exit code %d, and the terminal shows\n%s", code, shown)
	}
	for _, name := range names {
		w.sudoers(t, name, withoutAnyPassword)
		if logged := w.sh(t, name, "root", "journalctl --no-pager | grep -c 'two words' || true"); logged != "0" {
			t.Errorf("the password is in the journal of %s, %s times", name, logged)
		}
	}
}

// state is what status says.
func (w withFailover) state(t *testing.T) cluster.Status {
	t.Helper()
	return decode[cluster.Status](t, w.quietly("status", failoverHosts, "-o", "json").ok(t))
}

// until waits until the status is as it should be.
func (w withFailover) until(t *testing.T, what string, holds func(cluster.Status) bool) {
	t.Helper()
	w.untilWithin(t, soon, what, holds)
}

func (w withFailover) untilWithin(t *testing.T, limit time.Duration, what string, holds func(cluster.Status) bool) {
	t.Helper()
	within(t, limit, what, func() error {
		if s := w.state(t); !holds(s) {
			return fmt.Errorf("the status is %+v", s)
		}
		return nil
	})
}

// failover cuts the host off that runs a service, and lets it come back.
func (w withFailover) failover(t *testing.T) {
	s := w.state(t)
	if s.Fencing || !s.Quorate || len(s.Nodes) != 3 {
		t.Fatalf("%+v", s)
	}
	for _, node := range s.Nodes {
		own := strings.Fields(w.sh(t, node.Name, "root", "hostname -I"))
		if node.Protection != "guard, best effort" || node.Address != own[0] || node.Connect != node.Name {
			t.Errorf("%+v, whose address is %s", node, own)
		}
	}
	w.run(t, "add", "service", failoverHosts, "cache", "any", "--", "/usr/bin/redis-server", "--daemonize", "yes", "--pidfile", "PIDFILE", "--bind", "0.0.0.0", "--protected-mode", "no").ok(t)
	first := w.state(t).Services[0].Node
	if user := w.sh(t, first, "root", "ps -o user= -C redis-server"); strings.TrimSpace(user) != hostUser {
		t.Errorf("the service runs as %q", user)
	}
	w.cut(t, first)
	w.until(t, "the service to run elsewhere", func(s cluster.Status) bool {
		return s.Services[0].State == cluster.Running && s.Services[0].Node != first
	})
	r := w.run(t, "fix", "corosync", failoverHosts).ok(t)
	if !strings.Contains(r.stderr, first+" does not answer, and is left as it is") {
		t.Errorf("it does not say what it does not repair\n%v", r)
	}
	w.run(t, "adhoc", "nodes", "boot", failoverHosts).fails(t, 1, first)
	w.join(t, first)
	w.until(t, first+" to come back", func(s cluster.Status) bool {
		online := 0
		for _, node := range s.Nodes {
			if node.State == cluster.Online {
				online++
			}
		}
		return online == 3
	})
	if copies := w.sh(t, first, "root", "pgrep -c redis-server || true"); copies != "0" {
		t.Errorf("%s still runs the service", first)
	}
	// One who knows the command that the cluster was created with knows all.
	second := w.hosts.operator("second")
	second.createOf(t, failoverHosts, "web1", "web2", "web3", "--engine=pacemaker").ok(t)
	second.run(t, "list", "services", failoverHosts).ok(t).says(t, "cache")
	second.run(t, "service", "logs", failoverHosts, "cache").ok(t)
}

// addAndRemove is of a host that joins the running cluster, and leaves it.
func (w withFailover) addAndRemove(t *testing.T) {
	w.booted(t, "late", "outer")
	w.sudoers(t, "late", withoutAnyPassword)
	before := w.state(t).Services[0]
	w.run(t, "adhoc", "add", "node", failoverHosts, "late").ok(t).says(t, "added late (late) as node 3")
	w.run(t, "add", "service", failoverHosts, "pinned", "late", "--force-daemonize", "--", "/usr/bin/sleep", "1000").ok(t)
	// The second operator's spec lacks the host, and must not throw it out.
	second := w.hosts.operator("second")
	second.run(t, "fix", "corosync", failoverHosts).fails(t, 1, "1 more host").hints(t, "spec.json")
	w.run(t, "remove", "service", failoverHosts, "pinned").ok(t)
	// A dead host can be removed, and is left as it was once it answers.
	w.cut(t, "late")
	r := w.run(t, "adhoc", "remove", "node", failoverHosts, "late").ok(t).says(t, "removed late")
	if !strings.Contains(r.stderr, "late does not answer, and still has what makes it a node") {
		t.Errorf("it does not say what is left\n%v", r)
	}
	w.join(t, "late")
	w.run(t, "adhoc", "remove", "node", failoverHosts, "late").ok(t).says(t, "removed late")
	w.isPlain(t, "late")
	if after := w.state(t).Services[0]; after != before {
		t.Errorf("the service was touched: %+v, before %+v", after, before)
	}
}

// terminate leaves all hosts as they were.
func (w withFailover) terminate(t *testing.T, names []string) {
	w.run(t, "adhoc", "destroy", failoverHosts).fails(t, 1, "web1, web2, web3").hints(t, "adhoc nodes terminate "+failoverHosts)
	w.run(t, "adhoc", "nodes", "terminate", failoverHosts).ok(t).says(t, "left as they were: 3 nodes")
	for _, name := range names {
		w.isPlain(t, name)
	}
	w.run(t, "adhoc", "nodes", "terminate", failoverHosts).ok(t).says(t, "nothing to do")
	w.run(t, "adhoc", "destroy", failoverHosts).ok(t)
}

// isPlain fails the test unless a host has nothing of a cluster.
func (w withFailover) isPlain(t *testing.T, name string) {
	t.Helper()
	left := w.sh(t, name, "root", `ls -d /etc/sirikata-cluster /usr/lib/sirikata-cluster /var/lib/sirikata-cluster /etc/systemd/system/cluster-* 2>/dev/null
		grep sirikata /etc/hosts; ps -eo comm= | grep -E '^(corosync|pacemaker|redis|sirikata)'; systemctl list-unit-files --no-legend 'cluster-*'; true`)
	if left != "" {
		t.Errorf("%s has left:\n%s", name, left)
	}
}
