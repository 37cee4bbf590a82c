package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// anyStagger is how long Any lets one node try alone before it tries the next:
// long enough for a handshake on a busy node, short beside a dead one's time-out.
const anyStagger = 400 * time.Millisecond

// Pool keeps one connection to each node of a cluster, made when it is first
// needed. It may be used by several goroutines.
type Pool struct {
	hosts []Host
	keys  *HostKeys

	mu   sync.Mutex
	open map[string]*Client
}

// NewPool returns a pool of the hosts, none of them connected.
func NewPool(hosts []Host, keys *HostKeys) *Pool {
	return &Pool{hosts: hosts, keys: keys, open: map[string]*Client{}}
}

// Client returns the connection to the node with that name.
func (p *Pool) Client(ctx context.Context, name string) (*Client, error) {
	return p.client(name, func(host Host) (*Client, error) { return Dial(ctx, host, p.keys) })
}

// Wait is Client for a node that is still starting: it tries until ctx ends.
// report gets each error that it goes on from; it may be nil.
func (p *Pool) Wait(ctx context.Context, name string, report func(error)) (*Client, error) {
	return p.client(name, func(host Host) (*Client, error) { return WaitDial(ctx, host, p.keys, report) })
}

func (p *Pool) client(name string, dial func(Host) (*Client, error)) (*Client, error) {
	if client, ok := p.connected(name); ok {
		return client, nil
	}
	for _, host := range p.hosts {
		if host.Name != name {
			continue
		}
		client, err := dial(host)
		if err != nil {
			return nil, err
		}
		return p.keep(client), nil
	}
	return nil, fmt.Errorf("connect to %s: no such host", name)
}

// Any returns a connection to any one node but those in skip: an open one, or
// the first that can be made.
func (p *Pool) Any(ctx context.Context, skip map[string]bool) (*Client, error) {
	var hosts []Host
	for _, host := range p.hosts {
		if skip[host.Name] {
			continue
		}
		if client, ok := p.connected(host.Name); ok {
			return client, nil
		}
		hosts = append(hosts, host)
	}
	if len(hosts) == 0 {
		return nil, errors.New("no node left to try")
	}
	client, err := First(ctx, hosts, p.keys, anyStagger)
	if err != nil {
		return nil, err
	}
	return p.keep(client), nil
}

// Close closes all connections.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []error
	for name, client := range p.open {
		all = append(all, client.Close())
		delete(p.open, name)
	}
	return errors.Join(all...)
}

// connected returns the open connection to a node, if it is alive.
func (p *Pool) connected(name string) (*Client, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	client, ok := p.open[name]
	if ok && client.Closed() {
		delete(p.open, name)
		return nil, false
	}
	return client, ok
}

// keep stores a new connection, or closes it where another was faster.
func (p *Pool) keep(client *Client) *Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.open[client.Name()]; ok && !other.Closed() {
		_ = client.Close()
		return other
	}
	p.open[client.Name()] = client
	return client
}
