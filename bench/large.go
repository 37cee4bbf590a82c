package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// A large cluster on one machine.
const (
	largeSize     = 43
	largeServices = 200
	// crmCounted is how many services crmsh adds; all of them would take too long.
	crmCounted = 20
)

// large measures a cluster of many nodes and services, which it takes down.
func (b *bench) large() error {
	takeDown()
	defer takeDown()
	if _, err := program("local", "create", name, fmt.Sprint(largeSize)); err != nil {
		return err
	}
	whole, formed, err := stamped("starting Corosync", "local", "nodes", "boot", name, "--wait-timeout=600")
	if err != nil {
		return err
	}
	b.report(row{what: fmt.Sprintf("boot %d nodes, image there", largeSize), ours: sample{whole}, limit: 240 * time.Second})
	b.report(row{what: "of it, Corosync and Pacemaker", ours: sample{formed}})
	for _, measure := range []func() error{b.addMany, b.oneMore} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// addMany measures many services in one transaction, and a peer that adds them
// one after the other, on the same cluster, before.
func (b *bench) addMany() error {
	crm, err := b.crmOneByOne()
	if err != nil {
		return err
	}
	var services []cluster.Service
	for i := range largeServices {
		services = append(services, cluster.Service{ID: fmt.Sprintf("s%d", i), Target: cluster.Any,
			Command: []string{"/bin/sleep", "100000"}, ForceDaemonize: true, Failover: true, Monitor: 10})
	}
	text, err := json.Marshal(services)
	if err != nil {
		return err
	}
	file := filepath.Join(os.Getenv("SIRIKATA_CLUSTER_HOME"), "services.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	took, err := timed("add", "services", name, file)
	if err != nil {
		return err
	}
	b.report(row{what: fmt.Sprintf("%d services in one `add services`, all running", largeServices), ours: sample{took},
		limit: time.Minute, peers: []peer{{fmt.Sprintf("crm configure primitive, crm_resource --wait: %d measured, times %d",
			crmCounted, largeServices/crmCounted), sample{crm * largeServices / crmCounted}}}})
	return nil
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
		nodes := fmt.Sprintf("candidate1=node%d candidate2=node%d candidate3=node%d", i, i+1, i+2)
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

// oneMore measures single commands beside all those services.
func (b *bench) oneMore() error {
	var removed sample
	added, err := repeat(b.runs, func(int) (time.Duration, error) {
		took, err := timed("add", "service", name, "x", "any", "--force-daemonize", "--", "/bin/sleep", "1000")
		if err != nil {
			return 0, err
		}
		away, err := timed("remove", "service", name, "x")
		removed = append(removed, away)
		return took, err
	})
	if err != nil {
		return err
	}
	beside := fmt.Sprintf(" beside %d on %d nodes", largeServices, largeSize)
	b.report(row{what: "add a service" + beside, ours: added, limit: 1500 * time.Millisecond})
	b.report(row{what: "remove a service" + beside, ours: removed, limit: 1500 * time.Millisecond})
	shown, err := repeat(b.runs, func(int) (time.Duration, error) { return timed("status", name) })
	b.report(row{what: "`status`" + beside, ours: shown, limit: time.Second})
	return err
}
