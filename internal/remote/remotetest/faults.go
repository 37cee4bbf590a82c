package remotetest

import (
	"net"
	"sync"
	"syscall"
)

// Drop breaks all connections off, without a word of SSH. What runs on them sees
// its input end; see [Server.Idle].
func (s *Server) Drop() {
	for _, c := range s.connections() {
		_ = c.Close()
	}
}

// Freeze lets all connections stand, and not a byte through: a machine that is
// suspended, or cut off.
func (s *Server) Freeze() {
	for _, c := range s.connections() {
		c.freeze()
	}
}

// Idle waits until no command runs.
func (s *Server) Idle() { s.sessions.Wait() }

// Close ends the server, its connections and its commands, real ones by SIGKILL,
// and returns when all are gone. It may be called twice.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	for group := range s.groups {
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	s.mu.Unlock()
	_ = s.listener.Close()
	s.Drop()
	s.running.Wait()
}

// Connections is how many clients are connected now.
func (s *Server) Connections() int { return len(s.connections()) }

func (s *Server) connections() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// keep remembers a connection, unless the server is closing.
func (s *Server) keep(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return false
	default:
		s.conns[c] = true
		return true
	}
}

func (s *Server) drop(c *conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// conn is a connection that can be frozen.
type conn struct {
	net.Conn
	closed chan struct{}
	close  func() error
	mu     sync.Mutex
	frozen bool
}

func newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw, closed: make(chan struct{})}
	c.close = sync.OnceValue(func() error {
		close(c.closed)
		return raw.Close()
	})
	return c
}

func (c *conn) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
}

// pause blocks a frozen connection until it is closed.
func (c *conn) pause() {
	c.mu.Lock()
	frozen := c.frozen
	c.mu.Unlock()
	if frozen {
		<-c.closed
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.pause()
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.pause()
	return c.Conn.Write(p)
}

func (c *conn) Close() error { return c.close() }
