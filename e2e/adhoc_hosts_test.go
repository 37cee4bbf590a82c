//go:build lab

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hosts are machines that somebody has: containers that run sshd and nothing of
// ours. One of them is the operator's, with a home of its own: ssh takes the
// home directory from the user database, whatever HOME says.
type hosts struct {
	name string // begins the names of containers and networks
}

// hostUser is the unprivileged user on the hosts.
const hostUser = "bob"

// newHosts makes the operator's machine, and a network between it and the hosts
// that are made later.
func newHosts(t *testing.T) *hosts {
	t.Helper()
	needEngine(t)
	h := &hosts{name: newName()}
	t.Cleanup(func() { h.cleanUp(t) })
	h.network(t, "outer")
	h.start(t, "operator", "outer", "useradd -m -p '*' op; useradd -m -p '*' second")
	for _, user := range []string{"op", "second"} {
		h.sh(t, "operator", user, "mkdir -m 700 ~/.ssh; ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519")
	}
	return h
}

func (h *hosts) network(t *testing.T, name string, options ...string) {
	t.Helper()
	args := append([]string{"network", "create", "--label", clusterLabel + "=" + h.name}, options...)
	if _, err := docker(append(args, h.name+"-"+name)...); err != nil {
		t.Fatal(err)
	}
}

// start makes a machine that runs sshd and nothing else.
func (h *hosts) start(t *testing.T, name, network, setUp string, options ...string) {
	t.Helper()
	dir := filepath.Dir(lab.program)
	options = append([]string{"--init", "--volume", dir + ":" + dir + ":ro", "--entrypoint", "/bin/sh"}, options...)
	h.container(t, name, network, options, "-c", "mkdir -p /run/sshd; ssh-keygen -A; "+setUp+"; touch /ready; exec /usr/sbin/sshd -D -e")
	eventually(t, name+" to be set up", func() error {
		_, err := docker("exec", h.name+"-"+name, "test", "-e", "/ready")
		return err
	})
}

// container makes a machine on a network, by whose name the others reach it.
func (h *hosts) container(t *testing.T, name, network string, options []string, command ...string) {
	t.Helper()
	image, err := exec.Command(lab.program, "local", "image", "build").Output()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"run", "--detach", "--cap-add", "NET_ADMIN", "--label", clusterLabel + "=" + h.name,
		"--name", h.name + "-" + name, "--hostname", name, "--network", h.name + "-" + network, "--network-alias", name}, options...)
	if _, err = docker(append(append(args, strings.TrimSpace(string(image))), command...)...); err != nil {
		t.Fatal(err)
	}
}

// host makes a machine that lets both operators in, as hostUser.
func (h *hosts) host(t *testing.T, name, network string, options ...string) {
	t.Helper()
	h.start(t, name, network, "useradd -m -p '*' -s /bin/bash "+hostUser+"; chown "+hostUser+": /home/"+hostUser, options...)
	h.letIn(t, name)
	h.answers(t, name)
}

// letIn lets both operators in on a machine, as hostUser.
func (h *hosts) letIn(t *testing.T, name string) {
	t.Helper()
	keys := h.sh(t, "operator", "root", "cat /home/op/.ssh/id_ed25519.pub /home/second/.ssh/id_ed25519.pub")
	h.sh(t, name, hostUser, "mkdir -m 700 ~/.ssh; echo '"+keys+"' >~/.ssh/authorized_keys")
}

// booted makes a machine like host, which runs systemd and all that it starts.
func (h *hosts) booted(t *testing.T, name, network string, options ...string) {
	t.Helper()
	h.container(t, name, network, append([]string{
		"--cap-add", "SYS_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--shm-size", "512m",
		"--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777",
		"--stop-signal", "SIGRTMIN+3", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"}, options...))
	h.sh(t, name, "root", "useradd -m -p '*' -s /bin/bash "+hostUser+"; ssh-keygen -A")
	h.letIn(t, name)
	eventually(t, name+" to be booted", func() error {
		_, err := docker("exec", h.name+"-"+name, "systemctl", "restart", "ssh")
		return err
	})
	h.answers(t, name)
}

// sudoers writes down what hostUser may do on a machine as root.
func (h *hosts) sudoers(t *testing.T, name, rule string) {
	t.Helper()
	h.sh(t, name, "root", "echo '"+hostUser+" ALL=(ALL) "+rule+"' >/etc/sudoers.d/lab")
}

// Rules of sudoers(5).
const (
	anything           = "ALL"
	withoutAnyPassword = "NOPASSWD: ALL"
)

// cut lets no packet through, to a machine or from it, until it is joined.
func (h *hosts) cut(t *testing.T, name string) {
	t.Helper()
	h.sh(t, name, "root", "iptables -A INPUT -i eth0 -j DROP; iptables -A OUTPUT -o eth0 -j DROP")
}

func (h *hosts) join(t *testing.T, name string) {
	t.Helper()
	h.sh(t, name, "root", "iptables -F")
}

// answers waits until the sshd of a machine listens.
func (h *hosts) answers(t *testing.T, name string) {
	t.Helper()
	eventually(t, "sshd of "+name, func() error {
		_, err := docker("exec", h.name+"-"+name, "sh", "-c", "ss -ltn | grep -q :22")
		return err
	})
}

// sh runs a script on a machine.
func (h *hosts) sh(t *testing.T, name, user, script string) string {
	t.Helper()
	out, err := docker("exec", "--user", user, h.name+"-"+name, "bash", "-lc", script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// operator is a person at the operator's machine.
func (h *hosts) operator(user string, env ...string) operator {
	home := "/home/" + user
	wrap := []string{"docker", "exec", "--interactive", "--user", user, "--workdir", home}
	for _, each := range append(env, "HOME="+home, "SIRIKATA_CLUSTER_HOME="+home+"/store") {
		wrap = append(wrap, "--env", each)
	}
	return operator{wrap: append(wrap, h.name+"-operator")}
}

func (h *hosts) cleanUp(t *testing.T) {
	ids, err := docker("ps", "--all", "--quiet", "--filter", "label="+clusterLabel+"="+h.name)
	if err != nil {
		t.Error(err)
	}
	for _, id := range strings.Fields(ids) {
		if err := remove("rm", "--force", "--volumes", id); err != nil {
			t.Error(err)
		}
	}
	networks, err := docker("network", "ls", "--quiet", "--filter", "label="+clusterLabel+"="+h.name)
	if err != nil {
		t.Error(err)
	}
	for _, id := range strings.Fields(networks) {
		if err := remove("network", "rm", id); err != nil {
			t.Error(err)
		}
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	within(t, soon, what, holds)
}

// within is eventually with a limit of its own.
func within(t *testing.T, limit time.Duration, what string, holds func() error) {
	t.Helper()
	deadline := time.After(limit)
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatal(fmt.Errorf("waited %v for %s: %w", limit, what, err))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
