//go:build lab

package e2e

import (
	"slices"
	"strings"
	"testing"
)

type crashReport struct {
	Node, Kind, State, Next string
	Noticed                 *float64 `json:"noticed_seconds"`
	Fenced                  *float64 `json:"fenced_seconds"`
	Back                    *float64 `json:"back_seconds"`
	Services                []crashedService
	Touched, Faults         []string
}

type crashedService struct {
	ID, From, To string
	Restarted    *float64 `json:"restarted_seconds"`
}

// runs are the nodes and the main processes of services, as systemd knows them.
func (c *labCluster) runs(t *testing.T, ids ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, id := range ids {
		at := c.where(t, id)
		found[id] = at + "/" + c.node(t, at).mainPID(t, id)
	}
	return found
}

// crash breaks a node on which the named services may run, in one way, and
// compares what it reports with what the nodes say.
func (c *labCluster) crash(t *testing.T, kind, victim string, ids ...string) crashReport {
	t.Helper()
	before := c.runs(t, ids...)
	report := decode[crashReport](t, c.run(t, "crash", "test", c.name, "--kind="+kind, "--node="+victim, "--timeout=60s", "-o", "json").ok(t))
	if report.Node != victim || report.Kind != kind || report.State != "online" || report.Next != "" {
		t.Errorf("%s: %+v", kind, report)
	}
	if len(report.Touched)+len(report.Faults) > 0 || report.Noticed == nil {
		t.Errorf("%s: %+v", kind, report)
	}
	lost := kind != "process" && kind != "disk"
	if lost != (report.Fenced != nil) || lost != (report.Back != nil) {
		t.Errorf("%s: fenced and back: %+v", kind, report)
	}
	if len(report.Services) == 0 {
		t.Errorf("%s: it names no service of %s", kind, victim)
	}
	for _, s := range report.Services {
		// A service that died is as good as stopped: when the count of its failures
		// comes late, Pacemaker may start it on another node (journal: "Transition …
		// aborted by … last-failure", between its stop and its start).
		if at := c.where(t, s.ID); at != s.To || s.Restarted == nil || lost && s.To == s.From {
			t.Errorf("%s: service %q runs on %q: %+v", kind, s.ID, at, s)
		}
	}
	for id, run := range c.runs(t, ids...) {
		_, named := slices.BinarySearchFunc(report.Services, id, func(s crashedService, id string) int { return strings.Compare(s.ID, id) })
		if named != (run != before[id]) {
			t.Errorf("%s: service %q was %s and is %s, and it reports %+v", kind, id, before[id], run, report.Services)
		}
	}
	if online := c.online(t); len(online) != c.size {
		t.Errorf("%s: online are %v", kind, online)
	}
	rules := c.node(t, victim).sh(t, "iptables -S; cat /proc/mounts; ls /run; systemctl list-units --all --plain --no-legend 'sirikata-crash-test*' 'cluster-crash-test*'")
	if strings.Contains(rules, "crash-test") {
		t.Errorf("%s: it left on %s:\n%s", kind, victim, rules)
	}
	return report
}

// TestCrashTest breaks one node of three in each way, one after the other.
func TestCrashTest(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	c.add(t, "redis", "any", nil, redis(6450)).ok(t)
	addSleep(t, c, "one", "any")
	addSleep(t, c, "two", "any")
	for _, kind := range []string{"power", "process", "disk", "cut", "freeze"} {
		c.crash(t, kind, c.where(t, "redis"), "redis", "one", "two")
		if copies := c.copies("redis-server 0.0.0.0:6450"); len(copies) != 1 {
			t.Errorf("%s: redis runs on %v", kind, copies)
		}
	}
	// With one node off, another one is the last that may go.
	first := c.where(t, "redis")
	others := slices.DeleteFunc(c.online(t), func(name string) bool { return name == first })
	c.run(t, "local", "nodes", "stop", c.name, others[0]).ok(t)
	c.run(t, "crash", "test", c.name, "--node="+others[1]).fails(t, 2, "without "+others[1]+" the cluster has no quorum").hints(t, "--yes")
	if n := c.node(t, others[1]); !slices.Contains(c.running(), n) {
		t.Errorf("%s was broken all the same", n.name)
	}
}
