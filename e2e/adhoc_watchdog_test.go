//go:build lab

package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/drill"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
	"github.com/sirikata/sirikata-cluster/e2e/watchdog"
)

// resets are what the watchdogs of hosts did.
type resets struct {
	hosts *hosts
	rack  *watchdog.Rack

	mu    sync.Mutex
	hit   []string // in order
	after func()   // see whenOff
	fault error
}

// newResets makes watchdogs. Hosts that have one must be made after it: they go first.
func newResets(t *testing.T, h *hosts) *resets {
	t.Helper()
	rack, err := watchdog.Mount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &resets{hosts: h, rack: rack, after: func() {}}
	t.Cleanup(func() {
		h.cleanUp(t)
		if err := rack.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// booted makes a host with a watchdog, which power-cycles it.
func (r *resets) booted(t *testing.T, name string) {
	t.Helper()
	device := r.rack.Add(name, func() { r.reset(name) })
	r.hosts.booted(t, name, "outer", "--volume", device+":/dev/watchdog")
	// Where sbd is in time to reset a host itself, it writes there.
	if r.hosts.sh(t, name, "root", "test -w /proc/sysrq-trigger && echo writable || true") != "" {
		t.Fatal("a host may reset this machine")
	}
}

func (r *resets) reset(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hit = append(r.hit, host)
	container := r.hosts.name + "-" + host
	if _, err := docker("kill", container); err != nil {
		r.fault = err
		return
	}
	r.after()
	_, r.fault = docker("start", container)
}

// whenOff has something called when a host is off, before it is on again.
func (r *resets) whenOff(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.after = do
}

// were fails the test unless these hosts were reset, in this order.
func (r *resets) were(t *testing.T, hosts ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.hit, hosts) || r.fault != nil {
		t.Errorf("reset were %v, not %v (%v)", r.hit, hosts, r.fault)
	}
}

// TestAdHocWatchdog has hosts that their own watchdogs switch off.
func TestAdHocWatchdog(t *testing.T) {
	h := newHosts(t)
	r := newResets(t, h)
	w := withFailover{h, h.operator("op")}
	names := []string{"web1", "web2", "web3"}
	args := []string{"--engine=pacemaker"}
	for _, name := range names {
		r.booted(t, name)
		h.sudoers(t, name, withoutAnyPassword)
		args = append(args, withSBD(name))
	}
	w.createOf(t, failoverHosts, args[:3]...).fails(t, 2, "sbd needs 3 hosts or more")
	w.createOf(t, failoverHosts, args...).ok(t)
	w.run(t, "adhoc", "nodes", "boot", failoverHosts).ok(t)
	s := w.state(t)
	if !s.Fencing || s.WatchdogSeconds != 10 || len(s.Warnings) > 0 {
		t.Errorf("the status is %+v", s)
	}
	for _, node := range s.Nodes {
		if node.Protection != "its own watchdog (sbd)" {
			t.Errorf("%s is protected by %q", node.Name, node.Protection)
		}
	}
	w.run(t, "adhoc", "nodes", "boot", failoverHosts).ok(t).says(t, "is complete: nothing to do")

	h.booted(t, "late", "outer")
	h.sudoers(t, "late", withoutAnyPassword)
	w.run(t, "adhoc", "add", "node", failoverHosts, withSBD("late")).fails(t, 1, "late: it has no watchdog /dev/watchdog").hints(t, "modprobe")
	w.isPlain(t, "late")

	bitten := w.watchdogsBite(t, r)
	w.run(t, "adhoc", "remove", "node", failoverHosts, names[2]).fails(t, 2, "sbd needs 3 hosts or more").hints(t, "adhoc add node "+failoverHosts)
	w.run(t, "adhoc", "nodes", "terminate", failoverHosts).ok(t).says(t, "left as they were: 3 nodes")
	for _, name := range names {
		w.isPlain(t, name)
		if left := h.sh(t, name, "root", "ls -d /etc/default/sbd /usr/sbin/sbd /etc/systemd/system/*/sbd* 2>/dev/null; pgrep -x sbd; true"); left != "" {
			t.Errorf("%s has left:\n%s", name, left)
		}
	}
	w.run(t, "adhoc", "destroy", failoverHosts).ok(t)
	r.were(t, bitten...)
}

func withSBD(name string) string {
	return fmt.Sprintf(`{"dns_name": %q, "fence": {"agent": "sbd"}}`, name)
}

// judged is a service that tells a referee that it works.
type judged struct {
	withFailover
	*resets
	judge *referee.Referee
}

// watchdogsBite has hosts that run a service lost, and returns them. No copy of it
// starts before the watchdog has switched the other one off.
func (w withFailover) watchdogsBite(t *testing.T, r *resets) (bitten []string) {
	t.Helper()
	judge, err := referee.Listen(net.JoinHostPort(w.gateway(t), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer judge.Close()
	program := buildLeaseholder(t)
	for _, node := range w.state(t).Nodes {
		if _, err := docker("cp", program, w.name+"-"+node.Name+":"+leaseholder); err != nil {
			t.Fatal(err)
		}
	}
	w.run(t, "add", "service", failoverHosts, "lease", "any", "--force-daemonize", "--", leaseholder, "lease", judge.Address()).ok(t)
	service := judged{w, r, judge}
	bitten = append(bitten, service.moves(t, bitten, func(host string) { w.cutFrom(t, host, w.state(t).Nodes) }))
	bitten = append(bitten, service.moves(t, bitten, func(host string) {
		if _, err := docker("pause", w.name+"-"+host); err != nil {
			t.Fatal(err)
		}
	}))
	for _, double := range judge.View().Doubles() {
		t.Error(double)
	}
	if err := judge.Faults(); err != nil {
		t.Error(err)
	}
	w.run(t, "remove", "service", failoverHosts, "lease").ok(t)
	return bitten
}

// moves breaks the host that runs the service, which it returns, and waits until all
// is well again. bitten are those that were reset before.
func (w judged) moves(t *testing.T, bitten []string, breakIt func(host string)) string {
	t.Helper()
	first := w.state(t).Services[0].Node
	eventually(t, "the service to work", w.works(first))
	before, off := len(w.judge.View().Of("lease")), 0
	w.whenOff(func() { off = len(w.judge.View().Of("lease")) })
	breakIt(first)
	w.untilWithin(t, healLimit, "the service to run elsewhere", func(s cluster.Status) bool {
		return s.Services[0].State == cluster.Running && s.Services[0].Node != first
	})
	second := w.state(t).Services[0].Node
	eventually(t, "the service to work elsewhere", w.works(second))
	w.were(t, append(slices.Clone(bitten), first)...)
	if off != before {
		t.Errorf("when %s was switched off, %d copies had begun, and %d before", first, off, before)
	}
	w.untilWithin(t, healLimit, first+" to come back", func(s cluster.Status) bool {
		return !slices.ContainsFunc(s.Nodes, func(n cluster.Node) bool {
			return n.State != cluster.Online || n.Name == first && n.LastFenced == ""
		})
	})
	eventually(t, "the service to work where it did", w.works(second))
	return first
}

// works says that one copy works, on a node.
func (w judged) works(node string) func() error {
	return func() error {
		if now := w.judge.View().Working("lease", drill.Fresh); len(now) != 1 || now[0].Node != node {
			return fmt.Errorf("working are %+v", now)
		}
		return nil
	}
}

// gateway is this machine's address on the hosts' network.
func (h *hosts) gateway(t *testing.T) string {
	t.Helper()
	gateway, err := docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", h.name+"-outer")
	if err != nil {
		t.Fatal(err)
	}
	return gateway
}

// cutFrom lets no packet through between a host and the others, until it boots.
func (h *hosts) cutFrom(t *testing.T, name string, nodes []cluster.Node) {
	t.Helper()
	var rules []string
	for _, node := range nodes {
		if node.Name != name {
			rules = append(rules, "iptables -A INPUT -s "+node.Address+" -j DROP", "iptables -A OUTPUT -d "+node.Address+" -j DROP")
		}
	}
	h.sh(t, name, "root", strings.Join(rules, " && "))
}
