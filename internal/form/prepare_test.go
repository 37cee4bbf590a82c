package form

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
