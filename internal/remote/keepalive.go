package remote

import (
	"sync/atomic"
	"time"
)

// keepaliveRequest is the one that OpenSSH sends (ssh_config(5),
// ServerAliveInterval). Every server answers it, if only to refuse it.
const keepaliveRequest = "keepalive@openssh.com"

// keepAlive asks for a sign of life at each interval and closes the connection
// when none came for so many of them. Any byte counts, as in OpenSSH: during a
// large transfer the answer itself stands in a queue.
func (c *connection) keepAlive(received *atomic.Uint64, timing timing) {
	ticker := time.NewTicker(timing.interval)
	defer ticker.Stop()
	asking := make(chan struct{}, 1) // at most one question is under way
	last := received.Load()
	for silent := 0; ; {
		select {
		case <-c.done:
			return
		case <-ticker.C:
		}
		if now := received.Load(); now != last {
			last, silent = now, 0
		} else if silent++; silent >= timing.silences {
			c.blame(silence(timing.interval * time.Duration(silent)))
			_ = c.ssh.Close()
			return
		}
		select {
		case asking <- struct{}{}:
			c.background.Go(func() {
				_ = c.alive()
				<-asking
			})
		default:
		}
	}
}

// alive waits for an answer of the node, or for the end of the connection.
func (c *connection) alive() error {
	_, _, err := c.ssh.SendRequest(keepaliveRequest, true, nil)
	return err
}
