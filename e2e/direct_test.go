//go:build lab

package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// redisOn is a daemon by the book: it forks, and writes its pid.
func redisOn(port int) []string {
	return []string{"--", "/usr/bin/redis-server", "--daemonize", "yes", "--pidfile", "PIDFILE", "--bind", "127.0.0.1", "--save", "", "--port", strconv.Itoa(port)}
}

// direct adds a service to cluster "world".
func (o operator) direct(t *testing.T, id, target string, more ...string) result {
	t.Helper()
	return o.run(t, append([]string{"adhoc", "add", "service", "world", id, target}, more...)...)
}

// world is the status of cluster "world".
func (o operator) world(t *testing.T) cluster.Status {
	t.Helper()
	return decode[cluster.Status](t, o.run(t, "adhoc", "status", "world", "-o", "json").ok(t))
}

// wantService asserts what a service does, and where.
func wantService(t *testing.T, status cluster.Status, id string, state cluster.ServiceState, node, reason string) {
	t.Helper()
	service, ok := status.Service(id)
	if !ok || service.State != state || service.Node != node || !strings.Contains(service.Reason, reason) {
		t.Errorf("service %q is %+v, not %s on %q: %q", id, service, state, node, reason)
	}
}

// TestDirect runs services as an unprivileged user on hosts that have nothing but
// sshd: no systemd runs in them.
func TestDirect(t *testing.T) {
	h := newHosts(t)
	for _, name := range []string{"one", "two", "three"} {
		h.host(t, name, "outer")
	}
	op := h.operator("op")
	op.createOf(t, "world", "one", `{"dns_name":"two","capabilities":"redis"}`, "three").ok(t)
	op.direct(t, "cache", "any", append([]string{"--require=redis"}, redisOn(7001)...)...).ok(t).says(t, `service "cache" runs on two`)
	op.direct(t, "loop", "one", "--force-daemonize", "--env", "WHO=me you", "--", "/bin/sh", "-c", `echo "$WHO on FQDN, $(id -un) in $(pwd)"; exec sleep 4000`).ok(t)
	op.run(t, "service", "logs", "world", "loop").ok(t).says(t, "me you on one, bob in /home/bob\n")
	if pong := h.sh(t, "two", hostUser, "redis-cli -p 7001 ping; ps -C redis-server -o user="); pong != "PONG\nbob" {
		t.Errorf("redis says %q", pong)
	}

	t.Run("second operator", func(t *testing.T) {
		second := h.operator("second")
		second.createOf(t, "world", "one", `{"dns_name":"two","capabilities":"redis"}`, "three").ok(t)
		wantService(t, second.world(t), "cache", cluster.Running, "two", "")
		second.run(t, "service", "status", "world", "loop").ok(t)
		second.direct(t, "third", "any", redisOn(7002)...).ok(t).says(t, `"third" runs on three`)
		second.direct(t, "third", "any", redisOn(7003)...).fails(t, 1, `"third"`, "the id is taken").hints(t, "choose another id")
		op.direct(t, "third", "any", redisOn(7002)...).ok(t).says(t, `"third" runs on three already`)
		op.run(t, "remove", "service", "world", "third").ok(t)
		h.sh(t, "three", "root", "! pgrep redis-server")
		second.run(t, "service", "status", "world", "third").fails(t, 5, `"third" is not in cluster "world"`)
	})
	t.Run("death", func(t *testing.T) { directDeath(t, h, op) })
	t.Run("bad input", func(t *testing.T) { directBadInput(t, op) })
	t.Run("silent hosts", func(t *testing.T) { directSilent(t, h, op) })
	t.Run("host restarted", func(t *testing.T) { directRestarted(t, h, op) })
	op.run(t, "adhoc", "destroy", "world").fails(t, 1, "it still has services").hints(t, "remove")
	op.run(t, "remove", "all", "services", "world").ok(t).says(t, "removed 2 services")
	for _, name := range []string{"one", "two", "three"} {
		h.sh(t, name, "root", "! pgrep -u bob -f 'redis|sleep|sirikata'")
	}
	op.run(t, "adhoc", "destroy", "world").ok(t)
	for _, name := range []string{"one", "two", "three"} {
		h.sh(t, name, "root", "! test -e /home/bob/scratch/.sirikata-cluster")
	}
}

func directDeath(t *testing.T, h *hosts, op operator) {
	h.sh(t, "two", hostUser, "kill -9 $(pgrep redis-server)")
	eventually(t, "the death to be known", func() error {
		wantService(t, op.world(t), "cache", cluster.Failed, "two", "was killed by signal KILL (9)")
		return nil
	})
	op.run(t, "service", "status", "world", "cache").fails(t, 3, `service "cache" failed: was killed by signal KILL (9)`)
	op.run(t, "restart", "service", "world", "cache").ok(t).says(t, `"cache" runs again on two`)
	if pong := h.sh(t, "two", hostUser, "redis-cli -p 7001 ping"); pong != "PONG" {
		t.Errorf("redis says %q", pong)
	}
	h.sh(t, "one", hostUser, "kill -9 $(pgrep -f '[s]irikata-node.* keep')")
	wantService(t, op.world(t), "loop", cluster.Running, "one", "")
	op.run(t, "restart", "service", "world", "loop").ok(t)
	if n := h.sh(t, "one", hostUser, "pgrep -fc '^sleep 4000'"); n != "1" {
		t.Errorf("%s copies run", n)
	}
}

func directBadInput(t *testing.T, op operator) {
	op.direct(t, "bad", "one", "--force-daemonize", "--", "/bin/sh", "-c", "echo no world to load; exit 3").
		fails(t, 1, `add service "bad": it does not run: start on one: exited with status 3`)
	op.direct(t, "bad", "two", append([]string{"--user=redis"}, redisOn(7009)...)...).
		fails(t, 1, `only root can run it as "redis", and two is logged in to as "bob"`).hints(t, "leave --user out")
	op.direct(t, "bad", "any", append([]string{"--require=gpu"}, redisOn(7009)...)...).fails(t, 1, `no node has the capability "gpu"`)
	op.direct(t, "bad", "one", append([]string{"--require=redis"}, redisOn(7009)...)...).fails(t, 1, `one does not have the capability "redis"`)
	op.direct(t, "bad", "one", "--", "/no/such").fails(t, 1, `binary "/no/such" does not exist`)
	op.direct(t, "bad", "nine", "--", "/bin/true").fails(t, 5, `node "nine" is not in cluster "world"`)
	if services := op.world(t).Services; len(services) != 2 {
		t.Errorf("services %v", services)
	}
}

// directSilent has two of three hosts hang, and then one be gone.
func directSilent(t *testing.T, h *hosts, op operator) {
	for _, name := range []string{"two", "three"} {
		if _, err := docker("pause", h.name+"-"+name); err != nil {
			t.Fatal(err)
		}
		defer docker("unpause", h.name+"-"+name)
	}
	r := op.run(t, "adhoc", "status", "world", "-o", "json").ok(t)
	status := decode[cluster.Status](t, r)
	states := []cluster.NodeState{}
	for _, node := range status.Nodes {
		states = append(states, node.State)
	}
	if !slices.Equal(states, []cluster.NodeState{cluster.Online, cluster.Offline, cluster.Offline}) || len(status.Warnings) != 2 {
		t.Errorf("nodes %v, warnings %q", states, status.Warnings)
	}
	wantService(t, status, "loop", cluster.Running, "one", "")
	if r.took > 10*time.Second {
		t.Errorf("status took %v", r.took)
	}
	if _, err := docker("unpause", h.name+"-two"); err != nil {
		t.Fatal(err)
	}
	op.direct(t, "extra", "any", redisOn(7004)...).ok(t).says(t, `service "extra" runs on`)
	op.direct(t, "more", "three", redisOn(7005)...).fails(t, 1, "three is offline")
	op.run(t, "service", "status", "world", "cache").ok(t)
	op.run(t, "remove", "service", "world", "extra").ok(t)
}

// directRestarted restarts a container, which is a host for its processes.
func directRestarted(t *testing.T, h *hosts, op operator) {
	if _, err := docker("restart", "--time", "2", h.name+"-two"); err != nil {
		t.Fatal(err)
	}
	h.answers(t, "two")
	wantService(t, op.world(t), "cache", cluster.Stopped, "two", "the host was restarted")
	op.run(t, "service", "status", "world", "cache").fails(t, 3, `service "cache" does not run: it is stopped: the host was restarted`)
	op.run(t, "restart", "service", "world", "cache").ok(t)
	wantService(t, op.world(t), "cache", cluster.Running, "two", "")
}

// TestDirectSharedHome has two hosts with one home directory, each of which must
// look at its own services only.
func TestDirectSharedHome(t *testing.T) {
	h := newHosts(t)
	h.host(t, "one", "outer", "--volume", "/home/"+hostUser)
	h.start(t, "two", "outer", "useradd -M -p '*' -s /bin/bash "+hostUser, "--volumes-from", h.name+"-one")
	h.answers(t, "two")
	op := h.operator("op")
	op.createOf(t, "world", "one", "two").ok(t)
	for _, node := range []string{"one", "two"} {
		op.direct(t, "redis-"+node, node, redisOn(7001)...).ok(t).says(t, "runs on "+node)
	}
	status := op.world(t)
	wantService(t, status, "redis-one", cluster.Running, "one", "")
	wantService(t, status, "redis-two", cluster.Running, "two", "")
	if len(status.Services) != 2 || len(status.Warnings) != 0 {
		t.Errorf("status %+v", status)
	}
	if programs := h.sh(t, "one", hostUser, "ls ~/scratch/.sirikata-cluster/world/bin | wc -l"); programs != "1" {
		t.Errorf("%s programs", programs)
	}
	op.run(t, "remove", "service", "world", "redis-one").ok(t)
	wantService(t, op.world(t), "redis-two", cluster.Running, "two", "")
	if pong := h.sh(t, "two", hostUser, "redis-cli -p 7001 ping"); pong != "PONG" {
		t.Errorf("redis on two says %q", pong)
	}
}

// TestDirectWorkspace has workspace paths in which sirikata-node cannot be.
func TestDirectWorkspace(t *testing.T) {
	h := newHosts(t)
	h.host(t, "one", "outer", "--tmpfs", "/full:exec,mode=1777,size=1m", "--tmpfs", "/noexec:noexec,mode=1777",
		"--network-alias", "full", "--network-alias", "noexec", "--network-alias", "closed")
	op := h.operator("op")
	op.createOf(t, "world", "one", `{"dns_name":"full","workspace_path":"/full"}`,
		`{"dns_name":"noexec","workspace_path":"/noexec"}`, `{"dns_name":"closed","workspace_path":"/root/x"}`).ok(t)
	for node, word := range map[string]string{"full": "No space left on device", "noexec": "mounted noexec", "closed": "Permission denied"} {
		op.direct(t, "cache", node, redisOn(7001)...).fails(t, 1, node, word).hints(t, "must be a directory")
	}
	if left := h.sh(t, "one", hostUser, "find /full -type f | wc -l"); left != "0" {
		t.Errorf("%s files are left of a copy that failed", left)
	}
	op.direct(t, "cache", "one", redisOn(7001)...).ok(t)
	status := op.world(t)
	wantService(t, status, "cache", cluster.Running, "one", "")
	for _, node := range status.Nodes {
		if node.State != cluster.Online {
			t.Errorf("%s is %s", node.Name, node.State)
		}
	}
	op.run(t, "remove", "service", "world", "cache").ok(t)
}
