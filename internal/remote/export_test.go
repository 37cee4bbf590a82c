package remote

import (
	"context"
	"time"
)

// DialImpatient is Dial that waits for a handshake no longer than a test can.
func DialImpatient(ctx context.Context, host Host, keys *HostKeys) (*Client, error) {
	short := defaultTiming()
	short.handshake = 200 * time.Millisecond
	return dial(ctx, host, keys, short)
}

// DialWatchful is Dial that takes a node for lost as soon as a test can wait for.
func DialWatchful(ctx context.Context, host Host, keys *HostKeys) (*Client, error) {
	short := defaultTiming()
	short.interval = 100 * time.Millisecond
	return dial(ctx, host, keys, short)
}
