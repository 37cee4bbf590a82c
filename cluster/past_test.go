package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCaughtUp(t *testing.T) {
	for _, test := range []struct {
		name    string
		size    int
		removed []int
		past    Past
		want    []int // indexes
		dead    []int
	}{
		{"knows nothing", 3, nil, Past{}, []int{0, 1, 2}, nil},
		{"knows as much", 2, []int{1}, Past{3, []int{1}}, []int{0, 2}, []int{1}},
		{"one was removed", 5, nil, Past{5, []int{3}}, []int{0, 1, 2, 4}, []int{3}},
		{"some were added", 3, nil, Past{5, nil}, []int{0, 1, 2, 3, 4}, nil},
		{"added, and another removed", 3, nil, Past{5, []int{1}}, []int{0, 2, 3, 4}, []int{1}},
		{"knows more", 4, []int{5, 1}, Past{5, []int{1}}, []int{0, 2, 3, 4}, []int{5, 1}},
		{"each knows something", 4, []int{4}, Past{5, []int{0}}, []int{1, 2, 3}, []int{4, 0}},
	} {
		spec := Spec{Size: test.size, Removed: test.removed, Capabilities: map[string][]string{"node0": {"x"}, "node3": {"y"}}}
		got := spec.CaughtUp(test.past)
		if diff := cmp.Diff(test.want, got.Indexes()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if diff := cmp.Diff(test.dead, got.Removed); diff != "" {
			t.Errorf("%s: removed: %s", test.name, diff)
		}
		for node := range map[string]bool{"node0": true, "node3": true} {
			dead := false
			for _, index := range test.dead {
				dead = dead || node == NodeName(index)
			}
			if _, has := got.Capabilities[node]; has == dead {
				t.Errorf("%s: capabilities %v", test.name, got.Capabilities)
			}
		}
		if again := got.CaughtUp(test.past); !cmp.Equal(again, got) {
			t.Errorf("%s: twice: %s", test.name, cmp.Diff(got, again))
		}
		if len(spec.Capabilities) != 2 {
			t.Errorf("%s: the spec that was given changed", test.name)
		}
	}
}

func TestWithout(t *testing.T) {
	spec := Spec{Size: 3, Removed: []int{1}}
	for range 2 { // the second time it is no more
		spec = spec.Without(2)
		if diff := cmp.Diff(Spec{Size: 2, Removed: []int{1, 2}}, spec); diff != "" {
			t.Error(diff)
		}
	}
}
