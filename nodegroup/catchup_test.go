package nodegroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCatchUp: what another operator removed is not made anew, and what it added is
// not forgotten.
func TestCatchUp(t *testing.T) {
	f := newFakeCluster(t, 3)
	f.replies = func(_, cmd string) (string, bool) {
		return `<crm_config><cluster_property_set id="cib-bootstrap-options">
			<nvpair id="a" name="sirikata-nodes-used" value="4"/><nvpair id="b" name="sirikata-nodes-removed" value="1"/>
			</cluster_property_set></crm_config>`, cmd == "cibadmin --query --scope crm_config"
	}
	want := func(what string, indexes []int, progress ...string) {
		t.Helper()
		f.progress = nil
		g := f.open(t)
		if _, err := g.Allocate(bounded(t)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(indexes, f.provider.wanted); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if diff := cmp.Diff(append(progress, "allocating"), f.progress); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if stored, err := ReadSpec(f.env, "world"); err != nil || !cmp.Equal(stored, g.Spec()) {
			t.Errorf("%s: the store has %+v (%v)", what, stored, err)
		}
	}
	for i := range f.provider.machines {
		f.provider.machines[i].Running = false
	}
	want("nobody can be asked", []int{0, 1, 2})
	for i := range f.provider.machines {
		f.provider.machines[i].Running = true
	}
	// Of node1, which is no more, the spec has a capability.
	want("grown by one, less one", []int{0, 2, 3}, "other operators have changed the cluster: it has 3 nodes, node1 was removed for good")
	want("again", []int{0, 2, 3})
	if spec, err := ReadSpec(f.env, "world"); err != nil || spec.Size != 3 || len(spec.Capabilities) > 0 {
		t.Errorf("%+v (%v)", spec, err)
	}
}

func TestCatchUpSays(t *testing.T) {
	f := newFakeCluster(t, 2)
	f.replies = func(_, cmd string) (string, bool) {
		return `<crm_config><cluster_property_set id="x"><nvpair id="a" name="sirikata-nodes-used" value="5"/></cluster_property_set></crm_config>`,
			cmd == "cibadmin --query --scope crm_config"
	}
	g := f.open(t)
	if _, err := g.catchUp(bounded(t), f.provider.machines); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"other operators have changed the cluster: it has 5 nodes"}, f.progress); diff != "" {
		t.Error(diff)
	}
	// One who knows more is not set back.
	grown := g.Spec()
	grown.Size = 6
	g.spec = grown
	if _, err := g.catchUp(bounded(t), f.provider.machines); err != nil || !cmp.Equal(g.Spec(), grown) {
		t.Errorf("%+v (%v)", g.Spec(), err)
	}
}
