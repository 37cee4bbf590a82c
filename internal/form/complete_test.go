package form

import (
	"strings"
	"testing"
)

// TestFormKeepsPast: what the cluster remembers of removed nodes beyond our spec
// stays, and what the spec knows is added.
func TestFormKeepsPast(t *testing.T) {
	g := newGroup(t, 3)
	g.former.Spec.Removed = []int{3}
	g.nodes[0].cib = `<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
		<nvpair id="a" name="sirikata-nodes-used" value="9"/><nvpair id="b" name="sirikata-nodes-removed" value="7"/>
		</cluster_property_set></crm_config></configuration>`
	g.formed(t)
	for _, want := range []string{`name="sirikata-nodes-used" value="9"`, `name="sirikata-nodes-removed" value="3 7"`} {
		if !strings.Contains(g.nodes[0].cib, want) {
			t.Errorf("no %s in\n%s", want, g.nodes[0].cib)
		}
	}
}
