//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/drill"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

// leaseholder is where nodes have the program of the services that hold leases.
const leaseholder = "/usr/local/bin/leaseholder"

// leases are services of a cluster, each of which tells a referee outside of the
// cluster that it works.
type leases struct {
	drill.Cluster // as it should be
	c             *labCluster
	referee       *referee.Referee
	told          map[string]bool // leases held twice, by their keys
}

// newLeases adds n such services, on any node, to a cluster that is whole. The
// first of them require what is given, one each.
func newLeases(t *testing.T, c *labCluster, n int, require ...string) *leases {
	t.Helper()
	l := &leases{c: c, told: map[string]bool{}}
	status := decode[cluster.Status](t, c.quietly("status", c.name, "-o", "json").ok(t))
	l.Fencing = status.Fencing
	for _, node := range status.Nodes {
		l.Nodes = append(l.Nodes, drill.Node{Name: node.Name, Role: node.Role})
	}
	var err error
	if l.referee, err = referee.Listen(net.JoinHostPort(c.gateway(t), "0")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.referee.Close() }) // all that it had to say is said
	c.installLeaseholder(t)
	l.addServices(t, n, require)
	return l
}

// gateway is this machine's address on the cluster's network.
func (c *labCluster) gateway(t *testing.T) string {
	t.Helper()
	const format = "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"
	address, err := docker("container", "inspect", "--format", format, c.running()[0].container)
	if err != nil || net.ParseIP(address) == nil {
		t.Fatalf("find this machine's address on the cluster's network: %q (%v)", address, err)
	}
	return address
}

// installLeaseholder puts the services' program on every node.
func (c *labCluster) installLeaseholder(t *testing.T) {
	t.Helper()
	program := buildLeaseholder(t)
	for _, n := range c.running() {
		if _, err := docker("cp", program, n.container+":"+leaseholder); err != nil {
			t.Fatal(err)
		}
	}
}

func buildLeaseholder(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "leaseholder")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "./referee/leaseholder")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build leaseholder: %v\n%s", err, out)
	}
	return program
}

// addServices adds services of all the kinds that there are, in turn: one
// process, one with a child that does the work, and a daemon.
func (l *leases) addServices(t *testing.T, n int, require []string) {
	t.Helper()
	var services []cluster.Service
	for i := range n {
		id := fmt.Sprintf("lease-%02d", i)
		s := cluster.Service{ID: id, Target: cluster.Any, Monitor: cluster.DefaultMonitor, Failover: true, ForceDaemonize: i%3 != 2}
		s.Command = append([]string{leaseholder}, [][]string{nil, {"--worker"}, {"--daemon=" + cluster.PIDFileWord}}[i%3]...)
		s.Command = append(s.Command, id, l.referee.Address())
		if i < len(require) {
			s.Require = require[i]
		}
		services = append(services, s)
		l.Services = append(l.Services, id)
	}
	text, err := json.Marshal(services)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "services.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l.c.run(t, "add", "services", l.c.name, file).ok(t)
}

// newDoubles are the leases held twice that were not told yet.
func (l *leases) newDoubles(view referee.View) (fresh []referee.Double) {
	for _, double := range view.Doubles() {
		if !l.told[double.Key()] {
			l.told[double.Key()] = true
			fresh = append(fresh, double)
		}
	}
	return fresh
}

// heldOnce fails the test if a lease was held twice.
func (l *leases) heldOnce(t *testing.T) {
	t.Helper()
	for _, double := range l.newDoubles(l.referee.View()) {
		t.Error(double)
	}
	if err := l.referee.Faults(); err != nil {
		t.Error(err)
	}
}

// working is which process works for each service that anybody works for.
func (l *leases) working() map[string]string {
	found := map[string]string{}
	view := l.referee.View()
	for _, id := range l.Services {
		for _, i := range view.Working(id, drill.Fresh) {
			found[id] += i.ID + " on " + i.Node
		}
	}
	return found
}

// on is a node of those that works for a service.
func (l *leases) on(t *testing.T, names ...string) node {
	t.Helper()
	view := l.referee.View()
	for _, name := range names {
		for _, id := range l.Services {
			for _, i := range view.Working(id, drill.Fresh) {
				if i.Node == name {
					return l.c.node(t, name)
				}
			}
		}
	}
	t.Fatalf("no service runs on any of %v: %v", names, l.working())
	return node{}
}

// healLimit is for a lost node to be fenced, to boot and to be online again.
const healLimit = 90 * time.Second

// waitWhole waits until the cluster is as it should be, by what status says and by
// what the referee hears, and until also is true; and has been so for a while.
func (l *leases) waitWhole(t *testing.T, while time.Duration, also func() (done bool, seen string)) {
	t.Helper()
	var since time.Time
	took := l.c.waitFor(t, healLimit+while, "the cluster is as it should be", func() (bool, string) {
		missing := l.notWhole()
		if done, seen := also(); !done {
			missing = append(missing, seen)
		}
		switch {
		case len(missing) > 0:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) >= while, strings.Join(missing, "; ")
	})
	t.Logf("whole after %.1f s: %v", (took - while).Seconds(), l.working())
}

// notWhole says what is not as it should be.
func (l *leases) notWhole() []string {
	r := l.c.quietly("status", l.c.name, "-o", "json")
	var status cluster.Status
	if err := json.Unmarshal([]byte(r.stdout), &status); r.code != 0 || err != nil {
		return []string{r.String()}
	}
	return l.Missing(status, l.referee.View())
}

// nothingElse is for waitWhole.
func nothingElse() (bool, string) { return true, "" }
