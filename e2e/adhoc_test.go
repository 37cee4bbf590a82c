//go:build lab

package e2e

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// createOf makes a cluster of hosts with the paths of hostUser.
func (o operator) createOf(t *testing.T, name string, nodes ...string) result {
	t.Helper()
	home := "/home/" + hostUser
	args := []string{"adhoc", "create", name, hostUser, home + "/my sirikata", home, home + "/scratch"}
	return o.run(t, append(args, nodes...)...)
}

// states are those of all nodes by name.
func (o operator) states(t *testing.T, name string) map[string]cluster.NodeState {
	t.Helper()
	states := map[string]cluster.NodeState{}
	for _, node := range decode[[]cluster.Node](t, o.run(t, "adhoc", "members", "info", name, "-o", "json").ok(t)) {
		states[node.Name] = node.State
	}
	return states
}

func (o operator) wantOnline(t *testing.T, name string, nodes ...string) {
	t.Helper()
	states := o.states(t, name)
	for _, node := range nodes {
		if states[node] != cluster.Online {
			t.Errorf("%s is %q, not online: %v", node, states[node], states)
		}
	}
	if len(states) != len(nodes) {
		t.Errorf("nodes %v, not %v", states, nodes)
	}
}

// TestAdHocReach reaches hosts as the operator's own ssh does.
func TestAdHocReach(t *testing.T) {
	h := newHosts(t)
	h.network(t, "inner", "--internal")
	h.host(t, "plain", "outer")
	h.host(t, "gate", "outer")
	h.host(t, "hidden", "inner")
	if _, err := docker("network", "connect", h.name+"-inner", h.name+"-gate"); err != nil {
		t.Fatal(err)
	}
	op := h.operator("op")
	h.sh(t, "operator", "op", "printf '%s\\n' 'Host way' '  HostName gate' '  User bob' 'Host vault' '  HostName hidden' '  ProxyJump way' >~/.ssh/config")

	t.Run("alias and jump", func(t *testing.T) {
		op.createOf(t, "world", "plain", "way", "vault").ok(t).says(t, "3 nodes, plain, way, vault")
		op.run(t, "adhoc", "ssh", "world", "--", "hostname").fails(t, 4, "vault", "is in none of your known_hosts").hints(t, "ssh bob@way")
		h.sh(t, "operator", "op", "ssh-keyscan gate 2>/dev/null >>~/.ssh/known_hosts")
		if r := op.run(t, "ssh", "world", "--", "hostname").ok(t); r.stdout != "plain:\n  plain\nway:\n  gate\nvault:\n  hidden\n" {
			t.Errorf("wrong answers\n%v", r)
		}
		op.run(t, "ssh", "world", "--", "sh", "-c", `echo "$(id -un) in $(pwd)"`).ok(t).says(t, "plain, way, vault:\n  bob in /home/bob\n")
		op.wantOnline(t, "world", "plain", "way", "vault")
		r := op.run(t, "adhoc", "node", "ssh", "world", "vault", "--", "sh", "-c", "exit 7")
		if r.code != 7 {
			t.Errorf("the exit status is lost\n%v", r)
		}
	})
	t.Run("prompt", func(t *testing.T) { adhocPrompt(t, op, "world", "vault") })
	t.Run("second operator", func(t *testing.T) {
		second := h.operator("second")
		h.sh(t, "operator", "root", "cat ~op/.ssh/config >~second/.ssh/config; cat ~op/.ssh/known_hosts >~second/.ssh/known_hosts; chmod 644 ~second/.ssh/*config ~second/.ssh/known_hosts")
		second.createOf(t, "world", "plain", "way", "vault").ok(t)
		second.wantOnline(t, "world", "plain", "way", "vault")
	})
	t.Run("changed host key", func(t *testing.T) { adhocChangedKey(t, h, op) })
	t.Run("agent", func(t *testing.T) { adhocAgent(t, h, op) })
	t.Run("add and remove", func(t *testing.T) {
		h.host(t, "late", "outer")
		op.run(t, "adhoc", "add", "node", "world", `{"dns_name":"late","capabilities":"redis"}`).ok(t).says(t, "added late (late) as node 3")
		op.wantOnline(t, "world", "plain", "way", "vault", "late")
		if _, err := docker("rm", "--force", h.name+"-late"); err != nil {
			t.Fatal(err)
		}
		op.run(t, "adhoc", "remove", "node", "world", "late").ok(t).says(t, "removed late")
		op.wantOnline(t, "world", "plain", "way", "vault")
	})
}

// adhocPrompt types into a terminal.
func adhocPrompt(t *testing.T, op operator, name, node string) {
	op.wrap = append([]string{"docker", "exec", "--tty"}, op.wrap[2:]...)
	shown, code := op.typed(t, "echo $((40+2)) on $(hostname); exit 5\n", "adhoc", "node", "ssh", name, node)
	if code != 5 || !strings.Contains(shown, "42 on hidden") {
		t.Errorf("exit code %d, and the terminal shows\n%s", code, shown)
	}
}

func adhocChangedKey(t *testing.T, h *hosts, op operator) {
	const key = "/etc/ssh/ssh_host_ed25519_key"
	fingerprint := func() string { return strings.Fields(h.sh(t, "plain", "root", "ssh-keygen -lf "+key))[1] }
	before := fingerprint()
	h.sh(t, "plain", "root", "rm -f "+key+"*; ssh-keygen -q -t ed25519 -N '' -f "+key+"; kill -HUP $(pgrep -of 'sshd.*-D')")
	after := fingerprint()
	eventually(t, "sshd to show its new key", func() error {
		_, err := docker("exec", "--user", "op", h.name+"-operator", "sh", "-c",
			"ssh-keyscan -t ed25519 plain 2>/dev/null | ssh-keygen -lf - | grep -qF '"+after+"'")
		return err
	})
	op.run(t, "adhoc", "ssh", "world", "--", "true").fails(t, 4, "plain", before, after).hints(t, "node trust world plain")
	r := op.run(t, "adhoc", "node", "trust", "world", "plain").ok(t)
	if text := r.stdout + r.stderr; !strings.Contains(text, before) || !strings.Contains(text, after) {
		t.Errorf("trust does not show both fingerprints\n%v", r)
	}
	op.run(t, "adhoc", "ssh", "world", "--", "true").ok(t)
}

// adhocAgent has the key in an agent, and nowhere else.
func adhocAgent(t *testing.T, h *hosts, op operator) {
	h.sh(t, "operator", "op", "ssh-agent -a ~/agent >/dev/null; SSH_AUTH_SOCK=~/agent ssh-add -q ~/.ssh/id_ed25519; mv ~/.ssh/id_ed25519 ~/key")
	op.run(t, "adhoc", "node", "ssh", "world", "plain", "true").fails(t, 1, "plain", "we have no key to offer").hints(t, "ssh-copy-id bob@plain")
	with := h.operator("op", "SSH_AUTH_SOCK=/home/op/agent")
	with.run(t, "adhoc", "ssh", "world", "--", "true").ok(t)
	h.sh(t, "operator", "op", "ssh-keygen -q -p -N secret -f ~/key; mv ~/key ~/.ssh/id_ed25519")
	op.run(t, "adhoc", "node", "ssh", "world", "plain", "true").fails(t, 1, "plain").hints(t, "has a passphrase", "ssh-add /home/op/.ssh/id_ed25519")
	with.run(t, "adhoc", "ssh", "world", "--", "true").ok(t)
	h.sh(t, "operator", "op", "ssh-keygen -q -p -P secret -N '' -f ~/.ssh/id_ed25519")
}

// TestAdHocSilent has a host that drops all packets, and one that knows nobody:
// each costs no more than its own time-out.
func TestAdHocSilent(t *testing.T) {
	h := newHosts(t)
	h.host(t, "good", "outer")
	h.host(t, "silent", "outer")
	h.host(t, "shut", "outer")
	h.sh(t, "silent", "root", "iptables -A INPUT -p tcp --dport 22 -j DROP")
	h.sh(t, "shut", "root", "rm /home/bob/.ssh/authorized_keys")
	op := h.operator("op")
	op.createOf(t, "world", "good", "silent", "shut").ok(t)
	r := op.run(t, "adhoc", "ssh", "world", "--", "hostname")
	r.fails(t, 4, "connect to silent at silent:22: no answer for 5s", `log in to shut at shut:22 as "bob": it refused ssh-ed25519`).says(t, "good:\n  good\n")
	if !strings.Contains(r.stderr, "hint: see whether it answers you: ssh bob@silent") || !strings.Contains(r.stderr, "hint: let a key of yours in: ssh-copy-id bob@shut") {
		t.Errorf("it does not say what next\n%v", r)
	}
	if r.took > 8*time.Second {
		t.Errorf("it took %v", r.took)
	}
	states := op.states(t, "world")
	if states["good"] != cluster.Online || states["silent"] != cluster.Offline || states["shut"] != cluster.Offline {
		t.Errorf("states %v", states)
	}
	op.run(t, "adhoc", "remove", "node", "world", "silent").ok(t)
	if _, there := op.states(t, "world")["silent"]; there {
		t.Error("a node that does not answer cannot be removed")
	}
}

// TestAdHocHere is the shortest cluster: this machine, nothing installed, no
// root and no SSH.
func TestAdHocHere(t *testing.T) {
	h := newHosts(t)
	h.sh(t, "operator", "root", "rm /usr/bin/ssh")
	op := h.operator("op")
	op.run(t, "adhoc", "create", "one", "op", "/home/op/sirikata", "/home/op", "/home/op/scratch", "localhost").ok(t)
	if r := op.run(t, "adhoc", "ssh", "one", "--", "sh", "-c", `echo "$(id -un) in $(pwd)"`).ok(t); r.stdout != "localhost:\n  op in /home/op\n" {
		t.Errorf("wrong answer\n%v", r)
	}
	op.wantOnline(t, "one", "localhost")
	if out, err := exec.Command("docker", "exec", h.name+"-operator", "sh", "-c", "ss -tn | grep -c :22").Output(); strings.TrimSpace(string(out)) != "0" {
		t.Errorf("there are connections over SSH: %s (%v)", out, err)
	}
}
