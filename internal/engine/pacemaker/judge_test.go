package pacemaker

import (
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// TestJudgeWatchdog: of each host is said what switches it off.
func TestJudgeWatchdog(t *testing.T) {
	e := &Engine{spec: cluster.Spec{Fencing: true, Hosts: []cluster.Host{
		{Name: "a", Fence: cluster.HostFence{"agent": "sbd"}}, {Name: "b", Fence: cluster.HostFence{"agent": "fence_x"}}}}}
	status := cluster.Status{Nodes: []cluster.Node{{Name: "a", ID: "a"}, {Name: "b", ID: "b"}, {Name: "c", ID: "c"}}}
	e.judge(&status, cib.Mon{Options: cib.MonOptions{Fencing: true}})
	for i, want := range []string{"its own watchdog (sbd)", "fencing by fence_x", "fencing"} {
		if got := status.Nodes[i].Protection; got != want {
			t.Errorf("%s is protected by %q, not %q", status.Nodes[i].Name, got, want)
		}
	}
	// Only of an agent a device is missing.
	if len(status.Warnings) != 1 || !strings.HasPrefix(status.Warnings[0], "what fences b does not work") {
		t.Errorf("warnings %q", status.Warnings)
	}
	if status, err := e.status(view{}, nil); err != nil || status.WatchdogSeconds != 10 {
		t.Errorf("it waits for %v s (%v)", status.WatchdogSeconds, err)
	}
}

func TestJudge(t *testing.T) {
	e := &Engine{spec: cluster.Spec{Fencing: true}}
	nodes := func() []cluster.Node {
		return []cluster.Node{
			{Name: "node0", ID: "a", Role: cluster.Full, State: cluster.Online},
			{Name: "node1", ID: "b", Role: cluster.Remote, State: cluster.Unclean},
		}
	}
	status := cluster.Status{Nodes: nodes()}
	e.judge(&status, cib.Mon{Options: cib.MonOptions{Fencing: true}})
	if len(status.Warnings) != 1 || !strings.HasPrefix(status.Warnings[0], "node1 is lost, and not known to be off yet") {
		t.Errorf("warnings %q", status.Warnings)
	}
	if status.Nodes[0].Protection != byFencing || status.RemoteDetectionSeconds != 7 {
		t.Errorf("%+v", status)
	}
	status = cluster.Status{Nodes: nodes()[:1]}
	e.judge(&status, cib.Mon{})
	if len(status.Warnings) != 1 || !strings.HasPrefix(status.Warnings[0], "fencing is off in the cluster and on in its spec") {
		t.Errorf("warnings %q", status.Warnings)
	}
	if status.Nodes[0].Protection != byGuard || status.RemoteDetectionSeconds != 0 {
		t.Errorf("%+v", status)
	}
}
