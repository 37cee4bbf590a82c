package pacemaker

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// idle is what an idle full node of three takes.
func idle() cluster.Load {
	return cluster.Load{Seconds: 0.1,
		Daemons: []cluster.DaemonLoad{
			{Name: "corosync", Now: 0.1, Mean: 0.02, AgeSeconds: 7200},
			// Our own questions.
			{Name: "pacemaker-based", Now: 1, Mean: 0.01, AgeSeconds: 7200},
			{Name: "pacemaker-controld", Mean: 0.01, AgeSeconds: 7200},
		},
		Corosync: &cluster.CorosyncLoad{Votes: []string{"node0", "node1", "node2"}, BytesPerSecond: 9000},
	}
}

func encoded(t *testing.T, load cluster.Load) string {
	t.Helper()
	text, err := json.Marshal(load)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const seeLog = ": if it goes on, its log may say why (sirikata-cluster node ssh world node0 -- journalctl --unit="

// TestExamineStrain: what a short look suspects is looked at for longer, and
// warned of if it is still so.
func TestExamineStrain(t *testing.T) {
	for _, test := range []struct {
		name         string
		mon          string
		first, later func(*cluster.Load)
		long         bool // a longer look is expected
		want         []string
	}{
		{"idle", "running", func(*cluster.Load) {}, nil, false, nil},
		{"for a moment", "running", func(l *cluster.Load) { l.Daemons[0].Now = 0.9 }, func(*cluster.Load) {}, true, nil},
		{"corosync", "running", func(l *cluster.Load) { l.Daemons[0].Now = 0.9 },
			func(l *cluster.Load) { l.Daemons[0].Now, l.Daemons[0].Mean = 0.97, 0.3 }, true,
			[]string{"corosync on node0 takes 0.97 of a core (0.30 since it was started, 2h0m0s ago), measured for 2.0 s" + seeLog + "corosync --lines=50)"}},
		{"a daemon of Pacemaker", "running", func(l *cluster.Load) { l.Daemons[2].Now = 0.9 },
			func(l *cluster.Load) { l.Daemons[2].Now = 0.6 }, true,
			[]string{"pacemaker-controld on node0 takes 0.60 of a core (0.01 since it was started, 2h0m0s ago), measured for 2.0 s" + seeLog + "pacemaker --lines=50)"}},
		{"the CIB daemon, for long", "running", func(l *cluster.Load) { l.Daemons[1].Mean = 0.8 },
			func(l *cluster.Load) { l.Daemons[1].Now, l.Daemons[1].Mean = 0.99, 0.8 }, true,
			[]string{"pacemaker-based on node0 takes 0.99 of a core (0.80 since it was started, 2h0m0s ago), measured for 2.0 s" + seeLog + "pacemaker --lines=50)"}},
		{"the CIB daemon, just started", "running", func(l *cluster.Load) { l.Daemons[1].Mean, l.Daemons[1].AgeSeconds = 0.8, 20 }, nil, false, nil},
		{"network", "running", func(l *cluster.Load) { l.Corosync.BytesPerSecond = 3e6 },
			func(l *cluster.Load) { l.Corosync.BytesPerSecond = 2.5e6 }, true,
			[]string{"corosync on node0 sends and receives 2.5 MB a second, measured for 2.0 s" + seeLog + "corosync --lines=50)"}},
		{"retransmits", "running", func(l *cluster.Load) { l.Corosync.RetransmitsPerSecond = 51 },
			func(l *cluster.Load) { l.Corosync.RetransmitsPerSecond = 120 }, true,
			[]string{"corosync on node0 sends 120 messages a second once more, because others did not get them, measured for 2.0 s" + seeLog + "corosync --lines=50)"}},
		{"at work", "starting", func(l *cluster.Load) { l.Daemons[0].Now = 0.9 }, nil, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, 3, state(t, test.mon, "running"))
			first := idle()
			test.first(&first)
			f.loads = map[string]string{"": encoded(t, first)}
			if test.later != nil {
				later := idle()
				later.Seconds, later.Daemons[1].Now = 2, 0
				test.later(&later)
				f.loads[" 2s"] = encoded(t, later)
			}
			got, err := f.engine.Examine(within(t))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Warnings, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if looked := f.longLooks > 0; looked != test.long {
				t.Errorf("looked for longer: %v, want %v", looked, test.long)
			}
		})
	}
}

// TestExamineVotes: who votes is Corosync's to say, and a vote counts also where
// there is no machine any more.
func TestExamineVotes(t *testing.T) {
	gone := func(f *fake) { f.engine.nodes = f.engine.nodes[:2] }
	for _, test := range []struct {
		name  string
		votes []string
		alter func(*fake)
		roles string
		warns []string // beginnings
	}{
		{"all", []string{"node0", "node1", "node2"}, nil, "node0 full, node1 full, node2 full", []string{"if one more full node is lost"}},
		{"its vote was given away", []string{"node0", "node1"}, nil, "node0 full, node1 full, node2 remote", nil},
		{"not known", nil, nil, "node0 full, node1 full, node2 full", []string{"if one more full node is lost"}},
		{"no machine", []string{"node0", "node1", "node2"}, gone, "node0 full, node1 full, node2 full",
			[]string{"node2 is part of the cluster, and there is no machine of it", "if one more full node is lost"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, 3, state(t, "node-killed", "empty"))
			load := idle()
			load.Corosync.Votes = test.votes
			f.loads = map[string]string{"": encoded(t, load)}
			if test.alter != nil {
				test.alter(f)
			}
			got, err := f.engine.Examine(within(t))
			if err != nil {
				t.Fatal(err)
			}
			var roles []string
			for _, node := range got.Nodes {
				roles = append(roles, node.Name+" "+string(node.Role))
			}
			if text := strings.Join(roles, ", "); text != test.roles || got.Nodes[2].Index != 2 || got.Nodes[2].State != cluster.Offline {
				t.Errorf("%s: %+v", text, got.Nodes)
			}
			if len(got.Warnings) != len(test.warns) {
				t.Fatalf("warnings %q, want %q", got.Warnings, test.warns)
			}
			for i, begin := range test.warns {
				if !strings.HasPrefix(got.Warnings[i], begin) {
					t.Errorf("warning %q, want %q", got.Warnings[i], begin)
				}
			}
		})
	}
}

// TestExamineRemoved: a node that was removed for good is not shown because
// Pacemaker remembers it, unless it has a vote.
func TestExamineRemoved(t *testing.T) {
	for _, test := range []struct {
		name  string
		spec  cluster.Spec
		votes []string
		want  int // nodes
	}{
		{"removed", cluster.Spec{Removed: []int{2}}, []string{"node0", "node1"}, 2},
		{"another was removed", cluster.Spec{Removed: []int{1}}, []string{"node0", "node1"}, 3},
		{"removed, and it has a vote", cluster.Spec{Removed: []int{2}}, []string{"node0", "node1", "node2"}, 3},
		{"a host that was removed", cluster.Spec{Type: cluster.AdHoc, Removed: []int{7}}, []string{"node0", "node1"}, 2},
		{"a host that another operator has", cluster.Spec{Type: cluster.AdHoc}, []string{"node0", "node1"}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, 3, state(t, "node-killed", "empty"))
			f.engine.nodes, f.engine.spec = f.engine.nodes[:2], test.spec
			load := idle()
			load.Corosync.Votes = test.votes
			f.loads = map[string]string{"": encoded(t, load)}
			got, err := f.engine.Examine(within(t))
			if err != nil || len(got.Nodes) != test.want {
				t.Errorf("%+v (%v), want %d nodes", got.Nodes, err, test.want)
			}
		})
	}
}
