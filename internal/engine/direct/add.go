package direct

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

const (
	// claimTries bounds how often adding starts again because another operator
	// claimed an id at the same moment, after a pause of up to claimPause.
	claimTries = 6
	claimPause = 500 * time.Millisecond
	// claimAge is the age at which a claim counts as left behind by a command
	// that was killed.
	claimAge = 20 * time.Second
	// maxNodes is how many nodes are tried for a service that may run on any.
	maxNodes = 3
	// startWait is how long one start may take, as with Pacemaker.
	startWait = 19 * time.Second
	// undoTimeout is how long what was added may take to be removed again after
	// the caller's own context has ended.
	undoTimeout = 30 * time.Second
	pollPause   = 100 * time.Millisecond
)

// job is a service and the node on which something is done about it.
type job struct {
	service cluster.Service
	node    cluster.Node
	others  []cluster.Node // further nodes, if it does not start on this one
}

// startLimit is how long a start may take and still be answered in time.
func startLimit(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return startWait
	}
	const margin, least = time.Second, time.Second
	return max(min(startWait, time.Until(deadline)-margin), least)
}

// Add implements engine.Engine. Services are started at once on all nodes.
func (e *Engine) Add(ctx context.Context, services []cluster.Service) ([]engine.Added, error) {
	a := &adding{engine: e, begin: time.Now(), claimed: crand.Text()}
	for range claimTries {
		v, err := e.view(ctx)
		if err != nil {
			return nil, err
		}
		plan, err := e.plan(v, services)
		if err == nil {
			err = a.clear(ctx, plan.stale)
		}
		if err != nil {
			return nil, err
		}
		mine, contested, err := a.claim(ctx, v, plan.fresh)
		if err == nil && !contested {
			a.wait(ctx, plan.there)
			a.start(ctx, v, plan.fresh)
			return a.added, errors.Join(a.failed...)
		}
		// Everybody who sees another's claim withdraws, or both would go on. What
		// cannot be withdrawn now counts as left behind after a while.
		undone := a.withdraw(ctx, mine)
		if err != nil {
			return nil, err
		}
		if undone != nil {
			return nil, undone
		}
		if err := engine.Pause(ctx, rand.N(claimPause)); err != nil {
			return nil, waited(ctx, "wait for another command that adds the same service")
		}
	}
	return nil, cluster.WithHint(errContested, "try again in %v", claimAge)
}

var errContested = errors.New("add services: another command adds one of them at this moment, or was interrupted while it did")

// adding is one call of Add.
type adding struct {
	engine  *Engine
	begin   time.Time
	claimed string // marks the claims of this call
	added   []engine.Added
	failed  []error
}

// clear withdraws claims that were left behind.
func (a *adding) clear(ctx context.Context, stale []placed) error {
	for _, p := range stale {
		jobs := a.engine.jobs([]placed{p})
		if err := a.engine.each(ctx, protocol.Withdraw, p.Claim, jobs, func(job, protocol.Result) {}); err != nil {
			return err
		}
	}
	return nil
}

// claim records the services on their nodes and then looks whether another
// operator has recorded one elsewhere. Both of two who do so at once record
// before they look, so that one of them at least sees the other. mine are those
// that were recorded.
func (a *adding) claim(ctx context.Context, v view, fresh []job) (mine []job, contested bool, err error) {
	if len(fresh) == 0 {
		return nil, false, nil
	}
	var failures []error
	err = a.engine.each(ctx, protocol.Claim, a.claimed, fresh, func(j job, result protocol.Result) {
		switch {
		case result.Failure != "":
			failures = append(failures, a.engine.broken(j.node, fmt.Errorf("add service %q on %s: %s", j.service.ID, j.node.Name, result.Failure)))
		case result.Taken:
			contested = true
		default:
			mine = append(mine, j)
		}
	})
	if err = errors.Join(append(failures, err)...); err != nil || contested {
		return mine, contested, err
	}
	again := a.engine.look(ctx, v.answered)
	if ctx.Err() != nil {
		return mine, false, waited(ctx, "ask the nodes")
	}
	for _, j := range fresh {
		contested = contested || len(again.on(j.service.ID)) > 1
	}
	return mine, contested, nil
}

// withdraw takes claims back.
func (a *adding) withdraw(ctx context.Context, mine []job) error {
	return a.engine.undo(ctx, protocol.Withdraw, a.claimed, mine)
}

// start starts claimed services. One that does not start on its node is tried on
// further ones, if it may run on any.
func (a *adding) start(ctx context.Context, v view, jobs []job) {
	for len(jobs) > 0 {
		var next, unknown []job
		done := map[string]bool{}
		err := a.engine.each(ctx, protocol.Start, a.claimed, jobs, func(j job, result protocol.Result) {
			done[j.service.ID] = true
			switch {
			case result.Failure == "":
				a.added = append(a.added, engine.Added{ID: j.service.ID, Node: j.node.Name, Took: time.Since(a.begin)})
			case len(j.others) > 0:
				a.engine.say("service %q does not start on %s: %s", j.service.ID, j.node.Name, result.Failure)
				next = append(next, job{service: j.service, node: j.others[0], others: j.others[1:]})
			default:
				a.failed = append(a.failed, failure("add", j, result))
			}
		})
		for _, j := range jobs {
			if !done[j.service.ID] {
				unknown = append(unknown, j)
			}
		}
		a.lost(ctx, unknown, err)
		mine, contested, err := a.claim(ctx, v, next)
		if contested || err != nil {
			if contested {
				err = errContested
			}
			a.failed = append(a.failed, err, a.withdraw(ctx, mine))
			return
		}
		jobs = next
	}
}
