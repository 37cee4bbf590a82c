package remote

import (
	"context"
	"time"
)

// DialFast is Dial with waits that a test can afford.
func DialFast(ctx context.Context, host Host, keys *HostKeys) (*Client, error) {
	return dial(ctx, host, keys, timing{
		connect: 5 * time.Second, handshake: 200 * time.Millisecond,
		interval: 50 * time.Millisecond, silences: 2,
	})
}
