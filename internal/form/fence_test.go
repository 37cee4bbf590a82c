package form

import (
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestFormWithoutAgent changes nothing where a fence agent is missing on a node
// that would have to use it.
func TestFormWithoutAgent(t *testing.T) {
	g := newGroup(t, 4)
	g.former.Spec.FullNodes = 3
	g.former.Fence = &Fence{Devices: []FenceDevice{{Node: "node0", Agent: "fence_x"}, {Node: "node1", Agent: "fence_x"}, {Agent: cluster.FenceAgent}}}
	g.nodes[0].facts["agents"] = "fence_a fence_x"
	_, err := g.form(t)
	if err == nil || cluster.HintOf(err) == "" {
		t.Fatal(err)
	}
	text := err.Error()
	for _, node := range []string{"node1", "node2"} {
		if !strings.Contains(text, node+": the fence agent fence_x is not installed") {
			t.Errorf("%s is not named in: %s", node, text)
		}
	}
	if strings.Contains(text, "node0") || strings.Contains(text, "node3") || strings.Contains(text, cluster.FenceAgent) {
		t.Errorf("too much: %s", text)
	}
	g.did(t, "node0 ", "node1 ", "node2 ", "node3 ")
}

// TestFencesOf: of a node that is being removed nothing is configured any more.
func TestFencesOf(t *testing.T) {
	f := &Former{Nodes: []cluster.Node{{Name: "node0"}, {Name: "node2"}}, rounds: []round{{"node0", "node2"}},
		Fence: &Fence{Devices: []FenceDevice{{Node: "node0", Agent: "fence_x"}, {Node: "node1", Agent: "fence_x"}}}}
	if fences := f.settings().Fences; len(fences) != 1 || fences[0].Node != "node0" {
		t.Errorf("%+v", fences)
	}
}
