package remote

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// Each calls do for every item, at most limit at a time (0 is all), waits for
// all of them whatever fails, and joins their errors in the order of items. do
// names the item in its error, such as by a cluster.NodeError. After the end of
// the context the rest is still called, so that each item has its answer: do
// gets the context, and returns at once.
func Each[T any](ctx context.Context, items []T, limit int, do func(ctx context.Context, item T) error) error {
	if limit <= 0 {
		limit = -1
	}
	var group errgroup.Group
	group.SetLimit(limit)
	errs := make([]error, len(items))
	for i, item := range items {
		group.Go(func() error {
			errs[i] = do(ctx, item)
			return nil
		})
	}
	_ = group.Wait()
	return errors.Join(errs...)
}
