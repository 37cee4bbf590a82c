package local

import (
	"context"
	"fmt"
	"time"
)

// retry does f again, with a pause between, while it fails and the failure
// passes, until ctx ends. Then the error says how f failed before.
func retry(ctx context.Context, pause time.Duration, passes func(error) bool, f func() error) error {
	var last error
	for {
		err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && last != nil:
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case !passes(err):
			return err
		}
		last = err
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-time.After(pause):
		}
	}
}
