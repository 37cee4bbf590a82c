package form

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func TestStrangers(t *testing.T) {
	f := &Former{Nodes: []cluster.Node{{Name: "node0"}, {Name: "node2"}}}
	mon := cib.Mon{Nodes: []cib.MonNode{{Name: "node0"}, {Name: "node1"}, {Name: "node2"}, {Name: "node3"}}}
	if diff := cmp.Diff([]string{"node1", "node2", "node3"}, f.strangers(mon, []string{"node2"})); diff != "" {
		t.Error(diff)
	}
	if found := f.strangers(cib.Mon{Nodes: mon.Nodes[:1]}, nil); len(found) > 0 {
		t.Errorf("strangers %v", found)
	}
}
