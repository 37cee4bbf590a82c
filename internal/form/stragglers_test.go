package form

import (
	"slices"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestStragglers gives a node that does not join its time, and then another try.
func TestStragglers(t *testing.T) {
	fresh := &member{node: cluster.Node{Name: "node1"}, fresh: true}
	old := &member{node: cluster.Node{Name: "node2"}}
	late := stragglers{}
	begin := time.Now()
	for _, step := range []struct {
		after   time.Duration
		quorate bool
		want    []*member
	}{
		{0, false, nil}, // the cluster itself is not there yet
		{joinPatience, true, nil},
		{2*joinPatience - 1, true, nil},
		{2 * joinPatience, true, []*member{fresh}},
		{2*joinPatience + 1, true, nil},
		{3 * joinPatience, false, nil},
		{3 * joinPatience, true, []*member{fresh}},
	} {
		got := late.since(begin.Add(step.after), sight{quorate: step.quorate, absent: []*member{fresh, old}})
		if !slices.Equal(got, step.want) {
			t.Errorf("after %v: %d nodes, want %d", step.after, len(got), len(step.want))
		}
	}
}
