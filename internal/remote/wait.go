package remote

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Pauses between attempts of [WaitDial].
const (
	firstPause = 100 * time.Millisecond
	lastPause  = time.Second
)

// WaitDial dials again and again, with pauses of 0.1 to 1 s, until the host lets
// us in or the context ends. report, unless nil, is told of every attempt that
// failed. An error that no retry can mend (see [Retryable]), such as a changed
// host key, ends it at once. When the context ends, the error is its cause and
// names the last state of the host.
func WaitDial(ctx context.Context, host Host, keys *HostKeys, report func(err error)) (*Client, error) {
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		client, err := Dial(ctx, host, keys)
		if err == nil {
			return client, nil
		}
		if ctx.Err() == nil && !Retryable(err) {
			return nil, err
		}
		if ctx.Err() == nil {
			last = err
			if report != nil {
				report(err)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, waitEnded(ctx, host, last)
		}
	}
}

func waitEnded(ctx context.Context, host Host, last error) error {
	if last == nil {
		last = errors.New("no attempt was over")
	}
	return fmt.Errorf("wait for %s: %w; at last: %w", host.where(), context.Cause(ctx), last)
}
