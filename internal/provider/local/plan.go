package local

import (
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// step is what one node needs.
type step struct {
	index int
	start string // the container to power on
	loose bool   // that container is on no network
	redo  string // the unfinished container to make again
}

// plan says what each node needs that does not run yet. A node that was removed
// is left as it is.
func plan(have []container, spec cluster.Spec) []step {
	missing := make(map[int]bool, spec.Size)
	for _, i := range spec.Indexes() {
		missing[i] = true
	}
	var work []step
	for _, c := range have {
		delete(missing, c.index())
		switch {
		case slices.Contains(spec.Removed, c.index()):
		case !c.made():
			work = append(work, step{index: c.index(), redo: c.ID})
		case !c.running():
			work = append(work, step{index: c.index(), start: c.ID, loose: c.address() == ""})
		}
	}
	for i := range missing {
		work = append(work, step{index: i})
	}
	slices.SortFunc(work, func(a, b step) int { return a.index - b.index })
	return work
}
