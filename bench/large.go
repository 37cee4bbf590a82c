package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// crmCounted is how many services crmsh adds; all of them would take too long.
const crmCounted = 20

// large measures many nodes on one machine, and many services on them.
func (b *bench) large() error {
	whole := b.services + b.services/5
	beside := fmt.Sprintf("on %d nodes, beside %d others", b.nodes, whole)
	return inTurn(
		b.bootLarge,
		func() error { return b.idle(fmt.Sprintf("%d nodes without services", b.nodes)) },
		func() error { return b.cost(fmt.Sprintf("on %d nodes", b.nodes), 50) },
		b.addMany,
		func() error { return b.fill(whole) },
		func() error { return b.oneMore(beside) },
		func() error { return b.cost(beside, 10) },
		func() error { return b.idle(fmt.Sprintf("%d nodes with %d services", b.nodes, whole)) },
	)
}

// bootLarge measures from the image to all nodes online. It leaves the cluster.
func (b *bench) bootLarge() error {
	if _, err := program("local", "create", name, fmt.Sprint(b.nodes)); err != nil {
		return err
	}
	boot, err := watched("local", "nodes", "boot", name, "--wait-timeout=600")
	if err != nil {
		return err
	}
	b.report(row{what: fmt.Sprintf("boot %d nodes, image there, until all are online", b.nodes),
		ours: sample{boot.whole()}, limit: 240 * time.Second})
	b.report(row{what: "of it, Puppet", ours: sample{boot.between("configuring with Puppet", "starting Corosync")}})
	b.report(row{what: "of it, Corosync and Pacemaker", ours: sample{boot.since("starting Corosync")}})
	return nil
}

// addMany measures many services in one transaction, and a peer that adds them
// one after the other, on the same cluster, before.
func (b *bench) addMany() error {
	r := row{what: fmt.Sprintf("%d services in one `add services`, all running", b.services), limit: time.Minute, goal: 30 * time.Second}
	if b.peers {
		crm, err := b.crmOneByOne()
		if err != nil {
			return err
		}
		times := float64(b.services) / crmCounted
		r.peers = []peer{{fmt.Sprintf("crm configure primitive, crm_resource --wait: %d measured, times %g", crmCounted, times),
			sample{time.Duration(float64(crm) * times)}}}
	}
	took, err := b.addServices(0, b.services)
	r.ours = sample{took}
	if err == nil {
		b.report(r)
	}
	return err
}

// fill adds services in one transaction until there are so many.
func (b *bench) fill(count int) error {
	took, err := b.addServices(b.services, count)
	if err == nil {
		b.report(row{what: fmt.Sprintf("%d more beside them", count-b.services), ours: sample{took}})
	}
	return err
}

// addServices adds those with the numbers from begin up to end.
func (b *bench) addServices(begin, end int) (time.Duration, error) {
	var services []cluster.Service
	for i := begin; i < end; i++ {
		services = append(services, sleeper(fmt.Sprintf("s%d", i)))
	}
	text, err := json.Marshal(services)
	if err != nil {
		return 0, err
	}
	file := filepath.Join(os.Getenv("SIRIKATA_CLUSTER_HOME"), "services.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return 0, err
	}
	return timed("add", "services", name, file)
}

// sleeper is a service that does nothing.
func sleeper(id string) cluster.Service {
	return cluster.Service{ID: id, Target: cluster.Any, Command: []string{"/bin/sleep", "100000"},
		ForceDaemonize: true, Failover: true, Monitor: 10}
}

// crmOneByOne adds some services with crmsh and removes them again.
func (b *bench) crmOneByOne() (time.Duration, error) {
	if _, err := onNode("0", installPeers); err != nil {
		return 0, err
	}
	var whole time.Duration
	var ids []string
	for i := range crmCounted {
		id := fmt.Sprintf("x%d", i)
		ids = append(ids, id)
		nodes := fmt.Sprintf("candidate1=node%d candidate2=node%d candidate3=node%d",
			i%b.nodes, (i+1)%b.nodes, (i+2)%b.nodes)
		took, err := measuredOnNode("0", clocked("{ crm --force configure primitive service-"+id+" ocf:sirikata:service params "+
			given()+" op monitor interval=1s timeout=30s meta "+nodes+" && crm_resource --wait; }"))
		if err != nil {
			return 0, err
		}
		whole += took
	}
	for _, id := range ids {
		if _, err := program("remove", "service", name, id); err != nil {
			return 0, err
		}
	}
	return whole, nil
}
