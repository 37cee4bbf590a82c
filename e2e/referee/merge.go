package referee

import (
	"cmp"
	"slices"
)

// run is a stretch of work, and whose work it was at its end.
type run struct {
	Stretch
	id string
}

// merge returns the times in which anyone worked, in order.
func merge(worked []run) (merged []run) {
	slices.SortFunc(worked, func(a, b run) int { return cmp.Compare(a.From, b.From) })
	for _, w := range worked {
		if n := len(merged); n > 0 && w.From <= merged[n-1].To {
			if w.To > merged[n-1].To {
				merged[n-1].To, merged[n-1].id = w.To, w.id
			}
			continue
		}
		merged = append(merged, w)
	}
	return merged
}
