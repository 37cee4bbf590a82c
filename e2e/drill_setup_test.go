//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/drill"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

const leaseholder = "/usr/local/bin/leaseholder"

// newDrill boots a cluster whose services all hold their leases.
func newDrill(t *testing.T, seed uint64) *drillRun {
	t.Helper()
	var flags []string
	if *drillFull < *drillNodes {
		flags = append(flags, "--full-nodes="+strconv.Itoa(*drillFull))
	}
	if !*drillFencing {
		flags = append(flags, "--fencing=off")
	}
	d := &drillRun{t: t, c: newCluster(t, *drillNodes, flags...), tally: drill.Tally{Seed: seed},
		peers: map[string]string{}, told: map[string]bool{}}
	d.readNodes()
	var err error
	if d.referee, err = referee.Listen(net.JoinHostPort(d.gateway(), "0")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.referee.Close() }) // all that it had to say is said
	d.install()
	d.addServices()
	d.say("drill: %d faults with seed %d on %v", *drillFaults, seed, d.Cluster)
	if watched := d.watch(over(), *drillDeadline); len(watched.missing) > 0 {
		t.Fatalf("before the first fault: %s; %v", strings.Join(watched.missing, "; "), d.referee.Faults())
	}
	return d
}

// gateway is this machine's address on the cluster's network.
func (d *drillRun) gateway() string {
	const format = "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"
	address, err := docker("container", "inspect", "--format", format, d.c.running()[0].container)
	if err != nil || net.ParseIP(address) == nil {
		d.t.Fatalf("find this machine's address on the cluster's network: %q (%v)", address, err)
	}
	return address
}

func (d *drillRun) readNodes() {
	status := decode[cluster.Status](d.t, d.c.quietly("status", d.c.name, "-o", "json").ok(d.t))
	d.Fencing = status.Fencing
	for _, node := range status.Nodes {
		d.Nodes = append(d.Nodes, drill.Node{Name: node.Name, Role: node.Role})
		var peers []string
		for _, other := range status.Nodes {
			if other.Name != node.Name {
				peers = append(peers, other.Address)
			}
		}
		d.peers[node.Name] = strings.Join(peers, " ")
	}
}

// install puts the services' program on every node.
func (d *drillRun) install() {
	d.t.Helper()
	program := filepath.Join(d.t.TempDir(), "leaseholder")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "./referee/leaseholder")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		d.t.Fatalf("build leaseholder: %v\n%s", err, out)
	}
	for _, n := range d.c.running() {
		if _, err := docker("cp", program, n.container+":"+leaseholder); err != nil {
			d.t.Fatal(err)
		}
	}
}

// addServices adds services of all the kinds that there are, in turn: one
// process, one with a child that does the work, and a daemon.
func (d *drillRun) addServices() {
	d.t.Helper()
	var services []cluster.Service
	for i := range *drillServices {
		id := fmt.Sprintf("lease-%02d", i)
		s := cluster.Service{ID: id, Target: cluster.Any, Monitor: cluster.DefaultMonitor, Failover: true, ForceDaemonize: i%3 != 2}
		s.Command = append([]string{leaseholder}, [][]string{nil, {"--worker"}, {"--daemon=" + cluster.PIDFileWord}}[i%3]...)
		s.Command = append(s.Command, id, d.referee.Address())
		services = append(services, s)
		d.Services = append(d.Services, id)
	}
	text, err := json.Marshal(services)
	if err != nil {
		d.t.Fatal(err)
	}
	file := filepath.Join(d.t.TempDir(), "services.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.c.run(d.t, "add", "services", d.c.name, file).ok(d.t)
}
