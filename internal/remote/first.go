package remote

import (
	"context"
	"errors"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// First connects to whichever host lets us in first. It dials them in order,
// the next one after stagger, or at once when an earlier one failed; 0 dials all
// at once. All other attempts are over, and their connections closed, when it
// returns. When no host lets us in, the error joins a [*cluster.NodeError] for
// each that was tried, in the order of hosts; when the context ends, those say
// so.
func First(ctx context.Context, hosts []Host, keys *HostKeys, stagger time.Duration) (*Client, error) {
	if len(hosts) == 0 {
		return nil, errors.New("connect to a node: there is none")
	}
	racing, finish := context.WithCancel(ctx)
	defer finish()
	race := race{hosts: hosts, errs: make([]error, len(hosts)), results: make(chan attempt)}
	race.start(racing, keys)
	for stagger <= 0 && race.started < len(hosts) {
		race.start(racing, keys)
	}
	next := time.NewTimer(stagger)
	defer next.Stop()
	for race.running > 0 {
		select {
		case <-next.C:
		case result := <-race.results:
			race.take(result)
		}
		switch {
		case race.winner != nil:
			finish()
		case race.started < len(hosts) && racing.Err() == nil:
			race.start(racing, keys)
			next.Reset(stagger)
		}
	}
	if race.winner == nil {
		return nil, errors.Join(race.errs...)
	}
	return race.winner, nil
}

// race is the state of [First].
type race struct {
	hosts            []Host
	errs             []error // by host
	results          chan attempt
	started, running int
	winner           *Client
}

// attempt is how the dialling of one host ended.
type attempt struct {
	index  int
	client *Client
	err    error
}

func (r *race) start(ctx context.Context, keys *HostKeys) {
	index := r.started
	r.started++
	r.running++
	go func() {
		client, err := Dial(ctx, r.hosts[index], keys)
		r.results <- attempt{index, client, err}
	}()
}

func (r *race) take(a attempt) {
	r.running--
	switch {
	case a.err != nil:
		r.errs[a.index] = &cluster.NodeError{Node: r.hosts[a.index].Name, Err: a.err}
	case r.winner == nil:
		r.winner = a.client
	default:
		_ = a.client.Close()
	}
}
