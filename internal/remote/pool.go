package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// anyStagger is how long Any lets one node try alone before it tries the next:
// long enough for a handshake on a busy node, short beside a dead one's time-out.
const anyStagger = 400 * time.Millisecond

var errNoneLeft = errors.New("no node left to try")

// Pool keeps one connection to each node of a cluster, made when it is first
// needed. It may be used by several goroutines.
type Pool struct {
	*connections
	asRoot bool
}

// connections are what a pool and its view for root share.
type connections struct {
	hosts []Host
	keys  *HostKeys

	mu   sync.Mutex
	open map[string]*Client
}

// NewPool returns a pool of the hosts, none of them connected.
func NewPool(hosts []Host, keys *HostKeys) *Pool {
	return &Pool{connections: &connections{hosts: hosts, keys: keys, open: map[string]*Client{}}}
}

// Root is a view of the same connections whose clients run everything as root, by
// sudo where the host has [Host.Sudo] and the user who logs in is not root. Of
// other hosts they are the very same clients. Their commands begin in the home
// directory of the user who logs in. Closing one of both pools closes both.
//
// Client, Wait and Any of it fail with [*SudoError], too.
func (p *Pool) Root() *Pool { return &Pool{connections: p.connections, asRoot: true} }

// Client returns the connection to the node with that name.
func (p *Pool) Client(ctx context.Context, name string) (*Client, error) {
	client, err := p.client(name, func(host Host) (*Client, error) { return Dial(ctx, host, p.keys) })
	return p.view(ctx, client, err)
}

// Wait is Client for a node that is still starting: it tries until ctx ends.
// report gets each error that it goes on from; it may be nil.
func (p *Pool) Wait(ctx context.Context, name string, report func(error)) (*Client, error) {
	for {
		client, err := p.client(name, func(host Host) (*Client, error) { return WaitDial(ctx, host, p.keys, report) })
		if err != nil {
			return nil, err
		}
		client, err = p.view(ctx, client, nil)
		if err == nil || ctx.Err() != nil || !Retryable(err) {
			return client, err
		}
		if report != nil { // it let us in, and went down again
			report(err)
		}
		select {
		case <-time.After(firstPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// view is the client of a connection that the pool is for.
func (p *Pool) view(ctx context.Context, client *Client, err error) (*Client, error) {
	if err != nil || !p.asRoot {
		return client, err
	}
	return client.asRoot(ctx)
}

func (p *connections) client(name string, dial func(Host) (*Client, error)) (*Client, error) {
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
// the first that can be made. Nodes on which root is needed, and cannot be had,
// are passed over; a password that one of them refuses ends it, because it would
// be as wrong on the others.
func (p *Pool) Any(ctx context.Context, skip map[string]bool) (*Client, error) {
	passed := map[string]bool{}
	maps.Copy(passed, skip)
	var refused []error
	for {
		found, err := p.any(ctx, passed)
		switch {
		case err != nil && len(refused) == 0:
			return nil, err
		case errors.Is(err, errNoneLeft):
			return nil, errors.Join(refused...)
		case err != nil:
			return nil, errors.Join(append(refused, err)...)
		}
		client, err := p.view(ctx, found, nil)
		if err == nil || ctx.Err() != nil || wrongPassword(err) {
			return client, err
		}
		passed[found.Name()] = true
		refused = append(refused, &cluster.NodeError{Node: found.Name(), Err: err})
	}
}

func (p *connections) any(ctx context.Context, skip map[string]bool) (*Client, error) {
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
		return nil, errNoneLeft
	}
	client, err := First(ctx, hosts, p.keys, anyStagger)
	if err != nil {
		return nil, err
	}
	return p.keep(client), nil
}

// Close closes all connections.
func (p *connections) Close() error {
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
func (p *connections) connected(name string) (*Client, bool) {
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
func (p *connections) keep(client *Client) *Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.open[client.Name()]; ok && !other.Closed() {
		_ = client.Close()
		return other
	}
	p.open[client.Name()] = client
	return client
}
