package engine

import (
	"context"
	"time"
)

// Pause waits, but no longer than ctx, whose cause it then returns.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
