package nodegroup

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestWait names those that are waited for, once others have answered, and no
// more after the end.
func TestWait(t *testing.T) {
	for _, test := range []struct {
		name     string
		answered []string
		ended    bool
		want     []string
	}{
		{"two hang", []string{"b"}, false, []string{"1 of 3 nodes are done, waiting for a, c"}},
		{"all are slow", nil, false, nil},
		{"none hangs", []string{"c", "a", "b"}, false, nil},
		{"it was given up", []string{"b"}, true, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said []string
				w := newWait([]cluster.Node{{Name: "a"}, {Name: "b"}, {Name: "c"}}, func(line string) { said = append(said, line) })
				for _, name := range test.answered {
					w.answered(name)
				}
				if test.ended {
					w.end()
				}
				<-time.After(2 * longWait)
				synctest.Wait()
				w.end()
				if diff := cmp.Diff(test.want, said); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
