package form

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestFormPrepares sees that nothing is changed on a host before it was recorded.
func TestFormPrepares(t *testing.T) {
	g := newGroup(t, 2)
	g.former.Prepare = true
	if _, err := g.form(t); err != nil {
		t.Fatal(err)
	}
	for _, node := range g.nodes {
		if len(node.did) == 0 || node.did[0] != "prepare" {
			t.Errorf("%s: %v", node.name, node.did)
		}
	}
	if diff := cmp.Diff(slices.Insert(slices.Clone(allSteps), 2, "preparing hosts"), g.progress); diff != "" {
		t.Error(diff)
	}
	// A host that cannot be prepared is left alone.
	g = newGroup(t, 2)
	g.former.Prepare = true
	g.nodes[1].fails["prepare"] = "E: no room on disk\n"
	_, err := g.form(t)
	if err == nil || !strings.Contains(err.Error(), "preparing hosts: node1: ") || !strings.Contains(err.Error(), "no room on disk") {
		t.Errorf("got %v", err)
	}
	for _, node := range g.nodes {
		if !slices.Equal(node.did, []string{"prepare"}) {
			t.Errorf("%s: %v", node.name, node.did)
		}
	}
}

func TestRestore(t *testing.T) {
	g := newGroup(t, 1)
	client, err := g.former.Pool.Client(t.Context(), "node0")
	if err != nil {
		t.Fatal(err)
	}
	left, err := Restore(t.Context(), client, "world")
	if err != nil || !slices.Equal(left, []string{"/srv: it is not empty"}) {
		t.Errorf("got %q, %v", left, err)
	}
	g.nodes[0].fails["restore"] = "E: no room on disk\n"
	left, err = Restore(t.Context(), client, "world")
	var failed *cluster.NodeError
	if left != nil || !errors.As(err, &failed) || failed.Node != "node0" || !strings.Contains(err.Error(), "no room on disk") {
		t.Errorf("got %q, %v", left, err)
	}
}
