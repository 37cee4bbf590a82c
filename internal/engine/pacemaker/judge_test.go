package pacemaker

import (
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

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
