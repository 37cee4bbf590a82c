//go:build lab

package e2e

import "testing"

// TestFailuresAreForgiven breaks a service on every node until the cluster gives
// it up, and mends what it lacks. The time after which it is tried again is made
// short for that: the cluster's own is ten minutes. One without failover stays
// given up.
func TestFailuresAreForgiven(t *testing.T) {
	c := shared(t)
	const needed = "/var/tmp/forgiven"
	everywhere := func(script string) {
		for _, n := range c.running() {
			n.sh(t, script)
		}
	}
	everywhere("touch " + needed)
	t.Cleanup(func() { everywhere("rm -f " + needed) })
	c.add(t, "forgiven", "any", []string{"--force-daemonize"},
		[]string{"/bin/sh", "-c", "test -e " + needed + " && exec sleep 100000"}).ok(t)

	c.add(t, "unforgiven", "any", []string{"--force-daemonize", "--failover=false"}, sleeper("unforgiven")).ok(t)
	n := c.node(t, c.where(t, "unforgiven"))
	n.sh(t, "kill -9 "+n.mainPID(t, "unforgiven"))
	c.waitState(t, "unforgiven", "failed")

	everywhere("rm " + needed)
	n = c.node(t, c.where(t, "forgiven"))
	n.sh(t, "kill -9 "+n.mainPID(t, "forgiven"))
	c.waitState(t, "forgiven", "failed")

	everywhere("touch " + needed)
	setting := "crm_attribute --type rsc_defaults --name failure-timeout --update "
	c.ask(t, setting+"3s")
	t.Cleanup(func() { c.ask(t, setting+"600s") })
	c.waitState(t, "forgiven", "running")
	if got := c.service(t, "unforgiven"); got.State != "failed" {
		t.Errorf("a service that is never to be started again is %+v", got)
	}
}
