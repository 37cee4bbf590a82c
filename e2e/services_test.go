//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// redis is a real daemon: it forks, and writes its pid file.
func redis(port int) []string {
	return []string{"/usr/bin/redis-server", "--daemonize", "yes", "--pidfile", "PIDFILE", "--port", fmt.Sprint(port),
		"--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""}
}

// add adds a service that is removed with the test. Flags come before command.
func (c *labCluster) add(t *testing.T, id, target string, flags, command []string) result {
	t.Helper()
	c.removeAtEnd(t, id)
	args := append([]string{"add", "service", c.name, id, target}, flags...)
	return c.run(t, append(append(args, "--"), command...)...)
}

func (c *labCluster) removeAtEnd(t *testing.T, id string) {
	t.Cleanup(func() {
		c.report(t)
		if r := c.quietly("remove", "service", c.name, id); r.code != 0 && r.code != 5 {
			t.Errorf("clean up: %v", r)
		}
	})
}

func foreground(flags ...string) []string { return append([]string{"--force-daemonize"}, flags...) }

// addSleep adds a service whose process can be told by its id: its argv holds
// it.
func addSleep(t *testing.T, c *labCluster, id, target string, flags ...string) result {
	t.Helper()
	return c.add(t, id, target, foreground(flags...), sleeper(id)).ok(t)
}

// asUser is how to look at a process: the nodes have no right to trace, so even
// root may not read all of /proc of another user.
const asUser = "su -s /bin/sh"

// sleeper is a command that sleeps for ever and has a mark in its argv.
func sleeper(mark string) []string { return []string{"/usr/bin/perl", "-e", "sleep", mark} }

func TestDaemonOnAny(t *testing.T) {
	c := shared(t)
	r := c.add(t, "redis", "any", nil, redis(6400)).ok(t)
	at := c.where(t, "redis")
	if at == "" {
		t.Fatalf("Pacemaker does not say that it runs\n%s", c.state())
	}
	r.says(t, fmt.Sprintf("service %q runs on %s, after ", "redis", at), " s\n")
	n := c.node(t, at)
	pid := strings.TrimSpace(n.sh(t, "cat /run/sirikata/redis/redis.pid"))
	if argv := n.sh(t, "tr '\\0' ' ' <\"/proc/$1/cmdline\"", pid); !strings.Contains(argv, "redis-server 0.0.0.0:6400") {
		t.Errorf("the pid file names process %s, which is %q", pid, argv)
	}
	if pid != n.mainPID(t, "redis") {
		t.Errorf("the pid file says %s, systemd %s", pid, n.mainPID(t, "redis"))
	}
	if user := strings.TrimSpace(n.sh(t, "stat -c %U \"/proc/$1\"", pid)); user != "sirikata" {
		t.Errorf("it runs as %q, not as the service user", user)
	}
	// Asked from another node, through our own ssh.
	other := "node0"
	if at == other {
		other = "node1"
	}
	c.run(t, "node", "ssh", c.name, other, "--", "redis-cli", "-h", at, "-p", "6400", "ping").ok(t).says(t, "PONG")
	if copies := c.copies("redis-server 0.0.0.0:6400"); len(copies) != 1 {
		t.Errorf("it runs on %v", copies)
	}
}

func TestDaemonOnNamedNode(t *testing.T) {
	c := shared(t)
	address := c.status(t).Nodes[2].Address
	for target, want := range map[string]string{"0": "node0", "node1": "node1", address: "node2"} {
		id := "redis-" + want
		c.add(t, id, target, nil, redis(6410)).ok(t).says(t, "runs on "+want)
		if at := c.where(t, id); at != want {
			t.Errorf("target %s: Pacemaker says it runs on %q, not %s", target, at, want)
		}
		if got := c.service(t, id); got.Target != want {
			t.Errorf("target %s: status says target %q, not %s", target, got.Target, want)
		}
	}
}

func TestForeground(t *testing.T) {
	c := shared(t)
	c.add(t, "mqtt", "any", foreground(), []string{"/usr/sbin/mosquitto", "-p", "1900"}).ok(t)
	c.add(t, "sleep", "any", foreground(), []string{"/bin/sleep", "86400.125"}).ok(t)
	for id, argv := range map[string]string{"mqtt": "/usr/sbin/mosquitto -p 1900 ", "sleep": "/bin/sleep 86400.125 "} {
		n := c.node(t, c.where(t, id))
		if got := n.sh(t, "tr '\\0' ' ' <\"/proc/$1/cmdline\"", n.mainPID(t, id)); got != argv {
			t.Errorf("service %s: its process is %q, not %q", id, got, argv)
		}
	}
}

// TestAddWaitsForPIDFile has a daemon that takes its time to fork and to
// write its pid file: add returns only then.
func TestAddWaitsForPIDFile(t *testing.T) {
	c := shared(t)
	script := `(sleep 1; perl -e sleep slowly & echo $! >"$1"; exit) & sleep 2; exit 0`
	c.add(t, "slow", "node0", nil, []string{"/bin/sh", "-c", script, "sh", "PIDFILE"}).ok(t)
	n := c.node(t, "node0")
	if pid := strings.TrimSpace(n.sh(t, "cat /run/sirikata/slow/slow.pid")); pid != n.mainPID(t, "slow") {
		t.Errorf("add returned, and the main process is %q, the pid file %q", n.mainPID(t, "slow"), pid)
	}
}

func TestDefinitionComesBack(t *testing.T) {
	c := shared(t)
	command := []string{"/bin/sh", "-c", "exec sleep 86400", "a b", "", "--", "$x", "<&>\"'", "ü"}
	flags := foreground("--user=daemon", "--cwd=/usr/share", "--monitor=7", "--failover=false", "--env=A=1", "--env=B=x=y z")
	c.add(t, "whole", "node1", flags, command).ok(t)
	want := map[string]any{
		"id": "whole", "target": "node1", "user": "daemon", "cwd": "/usr/share", "monitor": 7.0, "failover": false,
		"force_daemonize": true, "env": map[string]any{"A": "1", "B": "x=y z"},
	}
	var words []any
	for _, word := range command {
		words = append(words, word)
	}
	want["command"] = words
	list := c.run(t, "list", "services", c.name, "-o", "json").ok(t)
	for _, got := range decode[[]map[string]any](t, list) {
		if got["id"] == "whole" && !reflect.DeepEqual(got, want) {
			text, _ := json.Marshal(want)
			t.Errorf("list services gives back\n%v\nnot\n%s", got, text)
		}
	}
	list.says(t, `"whole"`)
	n := c.node(t, "node1")
	pid := n.mainPID(t, "whole")
	if got := strings.TrimSpace(n.sh(t, `stat -c %U "/proc/$1"; `+asUser+` daemon -c 'readlink "/proc/$0/cwd"' "$1"`, pid)); got != "daemon\n/usr/share" {
		t.Errorf("its user and directory are %q", got)
	}
}

func TestAddAgain(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "twice", "any")
	n := c.node(t, c.where(t, "twice"))
	pid, version := n.mainPID(t, "twice"), c.configVersion(t)
	addSleep(t, c, "twice", "any").says(t, "already, with the same definition", n.name)
	c.add(t, "twice", "any", foreground(), sleeper("another")).fails(t, 1, `"twice"`, "another definition").hints(t)
	c.add(t, "twice", "any", foreground("--monitor=11"), sleeper("twice")).fails(t, 1, `"twice"`, "another definition")
	if now := n.mainPID(t, "twice"); now != pid {
		t.Errorf("it was restarted: pid %s, now %s", pid, now)
	}
	if now := c.configVersion(t); now != version {
		t.Errorf("the configuration was changed: version %s, now %s", version, now)
	}
}
