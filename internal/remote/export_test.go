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

// Race is the end of [First] when two hosts let us in before any attempt was
// given up.
func Race(first, second *Client) *Client {
	r := race{hosts: make([]Host, 2), running: 2}
	r.take(attempt{index: 0, client: first})
	r.take(attempt{index: 1, client: second})
	return r.winner
}

// AsRoot is what [Pool.Root] makes of a client.
func AsRoot(ctx context.Context, c *Client) (*Client, error) { return c.asRoot(ctx) }
