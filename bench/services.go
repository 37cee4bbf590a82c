package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// installPeers puts crmsh and pcs on the first node.
const installPeers = `apt-get -qq update >&2 &&
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends crmsh pcs >&2`

// parameters of the service that the peers add: the same agent, the same
// program, the same candidates.
var parameters = []string{
	`command='["/bin/sleep","1000"]'`, `user=`, `cwd='""'`, `env='{}'`, `monitor=10`,
	`force_daemonize=true`, `failover=true`, `target=any`, `require=`, `generation=0`,
}

const candidates = "candidate1=node0 candidate2=node1 candidate3=node2"

// clocked wraps a script so that it prints how long it took, in nanoseconds.
func clocked(script string) string {
	return "begin=$(date +%s%N)\n" + script + " >&2 || exit 1\necho $(($(date +%s%N) - begin))"
}

// add measures one service from the command to confirmed running.
func (b *bench) add() error {
	if _, err := onNode("0", installPeers); err != nil {
		return err
	}
	ours, err := repeat(b.runs, func(int) (time.Duration, error) {
		took, err := addOne()
		if err != nil {
			return 0, err
		}
		_, err = program("remove", "service", name, "x")
		return took, err
	})
	if err != nil {
		return err
	}
	pcs, err := b.peer("pcs resource create service-x ocf:sirikata:service " + given() +
		" op monitor interval=1s timeout=30s meta " + candidates + " --wait --force")
	if err != nil {
		return err
	}
	crm, err := b.peer("{ crm --force configure primitive service-x ocf:sirikata:service params " + given() +
		" op monitor interval=1s timeout=30s meta " + candidates + " && crm_resource --wait; }")
	if err != nil {
		return err
	}
	b.report(row{what: "add a service until it runs", ours: ours, limit: time.Second, peers: []peer{
		{"pcs resource create --wait", pcs}, {"crm configure primitive, crm_resource --wait", crm}}})
	return nil
}

// given are the parameters on the command line of a peer.
func given() string { return strings.Join(filled(parameters), " ") }

// filled are the parameters that have a value; pcs takes no empty ones.
func filled(all []string) []string {
	var some []string
	for _, parameter := range all {
		if !strings.HasSuffix(parameter, "=") {
			some = append(some, parameter)
		}
	}
	return some
}

// peer measures a peer's command on the node itself, without SSH.
func (b *bench) peer(script string) (sample, error) {
	return repeat(b.runs, func(int) (time.Duration, error) {
		took, err := measuredOnNode("0", clocked(script))
		if err != nil {
			return 0, err
		}
		_, err = program("remove", "service", name, "x")
		return took, err
	})
}

// atOnce is how many services are added by as many commands at once.
const atOnce = 20

// parallel measures many operators at once.
func (b *bench) parallel() error {
	begin := time.Now()
	group, _ := errgroup.WithContext(context.Background())
	for i := range atOnce {
		group.Go(func() error {
			_, err := program("add", "service", name, fmt.Sprintf("p%d", i), "any", "--force-daemonize", "--", "/bin/sleep", "1000")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	took := time.Since(begin)
	now, err := status()
	if err != nil {
		return err
	}
	for _, service := range now.Services {
		if service.State != "running" {
			return fmt.Errorf("service %q is %s", service.ID, service.State)
		}
	}
	if len(now.Services) != atOnce {
		return fmt.Errorf("%d services, not %d", len(now.Services), atOnce)
	}
	b.report(row{what: fmt.Sprintf("%d services by %d commands at once, all running", atOnce, atOnce), ours: sample{took}})
	_, err = program("remove", "all", "services", name)
	return err
}
