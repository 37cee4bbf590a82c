package remote

import (
	"context"
	"fmt"
	"net"
	"slices"
)

// jump is a connection to a jump host, or the attempt to make one. All hosts
// behind it share it: sshd drops connections that come too many at once
// (sshd_config(5), MaxStartups).
type jump struct {
	done   chan struct{} // closed when the attempt is over
	client *Client
	err    error
	given  bool // the caller who dialled gave up; it says nothing of the host
	users  int
	over   bool // its last user has left
}

// address is HOST or HOST:PORT, as people write it.
func (d destination) address() string {
	if d.port == 0 {
		return d.host
	}
	return net.JoinHostPort(d.host, fmt.Sprint(d.port))
}

// acquire returns a connection that stands, or makes one.
func (o *OpenSSH) acquire(ctx context.Context, by destination, trail []string, keys *HostKeys) (*Client, func(), error) {
	key := fmt.Sprint(by)
	if len(trail) == maxJumps || slices.Contains(trail, key) {
		return nil, nil, fmt.Errorf("~/.ssh/config has %s behind more than %d hosts, or behind itself", by.host, maxJumps)
	}
	for {
		j, mine := o.attempt(key)
		if mine {
			o.dialJump(ctx, key, j, by, trail, keys)
		}
		select {
		case <-j.done:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
		switch {
		case j.err == nil && o.use(key, j):
			return j.client, func() { o.release(key, j) }, nil
		case j.err != nil && (mine || !j.given):
			return nil, nil, j.err
		}
	}
}

// attempt is the one that is under way or done for a jump host; mine says that
// the caller is to make it.
func (o *OpenSSH) attempt(key string) (j *jump, mine bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if j, ok := o.jumps[key]; ok {
		return j, false
	}
	if o.jumps == nil {
		o.jumps = map[string]*jump{}
	}
	j = &jump{done: make(chan struct{})}
	o.jumps[key] = j
	return j, true
}

func (o *OpenSSH) dialJump(ctx context.Context, key string, j *jump, by destination, trail []string, keys *HostKeys) {
	j.client, j.err = o.dialBy(ctx, by, trail, keys)
	j.given = ctx.Err() != nil
	if j.err != nil {
		o.forget(key, j)
	}
	close(j.done)
}

func (o *OpenSSH) dialBy(ctx context.Context, by destination, trail []string, keys *HostKeys) (*Client, error) {
	host := Host{Name: by.host, Addr: by.address(), User: by.user, OpenSSH: o, jumpHost: true}
	way, err := o.find(ctx, host, by, keys, append(slices.Clone(trail), fmt.Sprint(by)))
	if err != nil {
		return nil, err
	}
	defer way.close()
	return enter(ctx, way.host, way.keys, defaultTiming())
}

// use counts one more user of a connection, unless it is gone.
func (o *OpenSSH) use(key string, j *jump) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if j.over || j.client.Closed() {
		if o.jumps[key] == j {
			delete(o.jumps, key)
		}
		return false
	}
	j.users++
	return true
}

// release ends a connection that nobody uses any more.
func (o *OpenSSH) release(key string, j *jump) {
	o.mu.Lock()
	j.users--
	last := j.users == 0
	j.over = last
	if last && o.jumps[key] == j {
		delete(o.jumps, key)
	}
	o.mu.Unlock()
	if last {
		_ = j.client.Close()
	}
}

func (o *OpenSSH) forget(key string, j *jump) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.jumps[key] == j {
		delete(o.jumps, key)
	}
}

// jumpedConn is a connection by way of a jump host, which may be hung up behind
// it.
type jumpedConn struct {
	net.Conn
	release func()
}

func (c *jumpedConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
