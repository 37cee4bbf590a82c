package form

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// connected are members with connections.
func (g *group) connected(t *testing.T) []*member {
	t.Helper()
	var members []*member
	for _, node := range g.former.Nodes {
		client, err := g.former.Pool.Client(t.Context(), node.Name)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, &member{node: node, role: cluster.Full, client: client})
	}
	return members
}

// TestWaitOnline looks until every node sees every node, and says what is
// missing, once.
func TestWaitOnline(t *testing.T) {
	g := newGroup(t, 3)
	lost, empty, two := recordedMon(t, "no-dc"), recordedMon(t, "empty"), recordedMon(t, "down")
	inquorate := strings.Replace(empty, `with_quorum="true"`, `with_quorum="false"`, 1)
	g.nodes[0].mon = []string{"", lost, lost, two, empty}
	g.nodes[1].mon = []string{inquorate, empty}
	g.nodes[2].mon = []string{two, empty}
	if err := waitFull(t.Context(), &g.former, g.connected(t)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"read output of crm_mon: EOF",
		"node0 sees 0 of 3 nodes online, not yet node0, node1, node2",
		"node0 sees 2 of 3 nodes online, not yet node2",
		"node1 has no quorum yet",
		"node2 sees 2 of 3 nodes online, not yet node2",
	}
	if diff := cmp.Diff(want, g.progress); diff != "" {
		t.Error(diff)
	}
}

func TestWaitOnlineGivesUp(t *testing.T) {
	g := newGroup(t, 3)
	g.nodes[1].mon = []string{recordedMon(t, "down")}
	ctx, cancel := context.WithCancelCause(t.Context())
	g.former.Progress = func(line string) { cancel(errors.New("gave up after 5m")) }
	err := waitFull(ctx, &g.former, g.connected(t))
	const want = "node1 sees 2 of 3 nodes online, not yet node2: gave up after 5m"
	if err == nil || err.Error() != want || !errors.Is(err, context.Cause(ctx)) {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestWaitOnlineWithoutPacemaker(t *testing.T) {
	g := newGroup(t, 1)
	g.nodes[0].down = true
	ctx, cancel := context.WithCancelCause(t.Context())
	g.former.Progress = func(string) { cancel(errors.New("gave up after 5m")) }
	err := waitFull(ctx, &g.former, g.connected(t))
	if err == nil || err.Error() != "Pacemaker on node0 does not answer yet: gave up after 5m" {
		t.Errorf("error %v", err)
	}
}

// TestWaitOnlineLost: a node that is lost while it is waited for does not come
// back on the same connection.
func TestWaitOnlineLost(t *testing.T) {
	g := newGroup(t, 1)
	members := g.connected(t)
	g.servers[0].Close()
	if err := waitFull(t.Context(), &g.former, members); !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
}

// TestReload reloads Corosync once where a running node has a new corosync.conf.
func TestReload(t *testing.T) {
	for _, test := range []struct {
		name    string
		running []string // nodes
		altered []string
		want    int
	}{
		{"nothing runs", nil, []string{"node0", "node1"}, 0},
		{"nothing changed", []string{"node0", "node1"}, nil, 0},
		{"all changed", []string{"node0", "node1"}, []string{"node0", "node1"}, 1},
		{"the first changed", []string{"node0", "node1"}, []string{"node0"}, 1},
		{"one that does not run changed", []string{"node0"}, []string{"node1"}, 0},
		{"one that changed started meanwhile", []string{"node0", "node1 by itself"}, []string{"node1"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, 2)
			members := g.connected(t)
			for i, node := range g.nodes {
				members[i].found.conf = "before"
				members[i].found.corosync = slices.Contains(test.running, node.name)
				if strings.Contains(fmt.Sprint(test.running), node.name) {
					node.facts["corosync"] = "yes"
				}
				node.facts["conf"] = "before"
				if strings.Contains(fmt.Sprint(test.altered), node.name) {
					node.facts["conf"] = "after"
				}
			}
			if err := reloadCorosync(t.Context(), &g.former, members); err != nil {
				t.Fatal(err)
			}
			reloads, changed := 0, false
			for i, node := range g.nodes {
				reloads += len(node.did)
				changed = changed || members[i].changed
			}
			if reloads != test.want || changed != (test.want > 0) {
				t.Errorf("%d reloads, changed %v; want %d", reloads, changed, test.want)
			}
		})
	}
}
