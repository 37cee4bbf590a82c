package remote

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxSessions is how many commands run at once on one connection; more wait for
// their turn. sshd refuses what goes beyond its MaxSessions, 10 by default
// (sshd_config(5)).
const maxSessions = 8

// Client is a connection to one node, on which many commands can run at once, as
// the user who is logged in or as root. Its methods may be called from many
// goroutines.
type Client struct {
	*connection
	become *becoming // how commands become root's; nil for those of the user
}

// connection is what the clients of one node share.
type connection struct {
	host Host
	ssh  *ssh.Client // nil for the operator's own machine
	// execute runs one line by the user's shell to its end; hangUp ends the
	// connection.
	execute  func(ctx context.Context, line string, streams *streams) error
	hangUp   func() error
	sessions chan struct{} // holds one token per running command
	done     chan struct{} // closed when the connection is gone
	patience time.Duration // for what a login takes
	root     rootClient

	mu     sync.Mutex
	cause  error // why it is gone; the first one said
	closed bool  // by us

	background sync.WaitGroup
}

func newClient(host Host, connection *ssh.Client, conn *countingConn, timing timing) *Client {
	c := newIdleClient(host, timing)
	c.ssh, c.execute, c.hangUp = connection, c.session, connection.Close
	c.background.Go(func() {
		c.blame(connection.Wait())
		close(c.done)
	})
	c.background.Go(func() { c.keepAlive(&conn.received, timing) })
	return c
}

func newIdleClient(host Host, timing timing) *Client {
	return &Client{connection: &connection{
		host: host, sessions: make(chan struct{}, maxSessions), done: make(chan struct{}),
		patience: timing.handshake, root: newRootClient(),
	}}
}

// Name is the name of the node.
func (c *connection) Name() string { return c.host.Name }

// Closed reports whether the connection is gone, by [Client.Close] or by itself.
// One that is not may still be about to fail.
func (c *connection) Closed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Close ends the connection, and with it the commands that run on it, root's too: their
// [Client.Run] fails with [net.ErrClosed]. It may be called twice.
func (c *connection) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again {
		c.background.Wait()
		return nil
	}
	c.blame(net.ErrClosed)
	err := c.hangUp()
	c.background.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// blame remembers why the connection is gone.
func (c *connection) blame(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = err
	}
}

// gone waits for the end of the connection, which must be near, and says why it
// came.
func (c *connection) gone() error {
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return &UnreachableError{Node: c.host.Name, Addr: c.host.Addr, Lost: true, Err: c.cause}
}

// countingConn counts what comes in: a node that sends anything lives.
type countingConn struct {
	net.Conn
	received atomic.Uint64
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(uint64(n))
	return n, err
}
