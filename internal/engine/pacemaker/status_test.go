package pacemaker

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestStatus(t *testing.T) {
	f := newFake(t, 3, state(t, "node-killed", "four"))
	f.engine.nodes[1].Capabilities = []string{"redis"}
	got, err := f.engine.Status(within(t))
	if err != nil {
		t.Fatal(err)
	}
	want := cluster.Status{Cluster: "world", Type: cluster.Local, Engine: cluster.Pacemaker, Quorate: true, DC: "node1",
		DetectionSeconds: 2.2,
		Warnings: []string{"if one more full node is lost the cluster has no quorum and stops all services: " +
			"bring back those that are off, or let fix corosync promote other nodes"},
		Nodes: []cluster.Node{
			{Index: 0, Name: "node0", ID: "id-node0", State: cluster.Online, Role: cluster.Full, Capabilities: []string{}, Protection: byGuard},
			{Index: 1, Name: "node1", ID: "id-node1", State: cluster.Online, Role: cluster.Full, Capabilities: []string{"redis"}, Protection: byGuard},
			{Index: 2, Name: "node2", ID: "id-node2", State: cluster.Offline, Role: cluster.Full, Capabilities: []string{}, Protection: byGuard},
		},
		Services: []cluster.ServiceStatus{
			{ID: "once", State: cluster.Running, Node: "node0", Target: "node0", Failover: true, Failures: 1, Run: "node0/22"},
			{ID: "pinned", State: cluster.Stopped, Target: "node2", Failover: true, Reason: "waits for node2, which is offline"},
			{ID: "run", State: cluster.Running, Node: "node0", Target: "any", Failover: true, Run: "node0/6"},
			{ID: "stay", State: cluster.Failed, Target: "node1", Failures: 1,
				Reason: "monitor on node1: was killed by signal KILL (9) after 431ms"},
		}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if state := f.engine.nodes[2].State; state != "" {
		t.Errorf("the engine's own nodes were written to: %s", state)
	}
}

func TestStatusOfFencedCluster(t *testing.T) {
	f := newFake(t, 3, state(t, "unclean", "empty"))
	got, err := f.engine.Status(within(t))
	if err != nil || !got.Fencing || got.Nodes[2].State != cluster.Unclean || got.Services == nil {
		t.Errorf("%+v (%v)", got, err)
	}
}

func TestLogs(t *testing.T) {
	const journal = "journalctl --no-pager --quiet --output=short-iso --lines=20 _SYSTEMD_UNIT=sirikata-"
	for _, test := range []struct{ name, mon, resources, id, asks string }{
		{"running", "running", "running", "pinned", "node2: " + journal + "pinned.service"},
		{"failed", "monitor-failed", "monitor-failed", "stay", "node1: " + journal + "stay.service"},
		{"restarted", "restarted", "restarted", "once", "node0: " + journal + "once.service"},
	} {
		t.Run(test.name, func(t *testing.T) {
			phase := state(t, test.mon, test.resources)
			phase.logs = map[string]string{test.asks: "one\ntwo\n"}
			f := newFake(t, 3, phase)
			var out strings.Builder
			if err := f.engine.Logs(within(t), test.id, 20, false, &out); err != nil || out.String() != "one\ntwo\n" {
				t.Errorf("%q (%v)", out.String(), err)
			}
		})
	}
}

func TestLogsFaults(t *testing.T) {
	for _, test := range []struct{ mon, resources, id, want string }{
		{"running", "running", "none", `service "none" is not in cluster "world"`},
		{"node-killed", "four", "pinned",
			`logs of service "pinned": it runs nowhere and failed nowhere: waits for node2, which is offline`},
	} {
		f := newFake(t, 3, state(t, test.mon, test.resources))
		wantError(t, f.engine.Logs(within(t), test.id, 20, false, &strings.Builder{}), test.want)
	}
}

// TestLogsFollow ends with its context, which is no error.
func TestLogsFollow(t *testing.T) {
	phase := state(t, "running", "running")
	phase.logs = map[string]string{"node2: journalctl --no-pager --quiet --output=short-iso --lines=1 " +
		"--follow _SYSTEMD_UNIT=sirikata-pinned.service": "one\n"}
	f := newFake(t, 3, phase)
	ctx, cancel := context.WithCancelCause(within(t))
	out := writer(func(text []byte) (int, error) {
		cancel(errors.New("interrupted"))
		return len(text), nil
	})
	if err := f.engine.Logs(ctx, "pinned", 1, true, out); err != nil {
		t.Error(err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }
