package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// mendTimeout is how long mending may take, also after the context has ended.
const mendTimeout = time.Minute

// run breaks, watches and mends.
func (c *crash) run(ctx context.Context, fault fault, before cluster.Status) (CrashReport, error) {
	watch := newCrashWatch(before, c.victim.Name, c.options.Kind, c.affected)
	err := fault.do(ctx)
	if err == nil {
		watch.report.Broke = fault.what
		c.group.env.progress(fmt.Sprintf("%s: %s", c.victim.Name, fault.what))
		err = c.watch(ctx, 0, watch, watch.recovered)
	}
	if c.options.LeaveBroken {
		watch.report.Left = true
		watch.report.Next = fault.left
		return watch.conclude(), err
	}
	// Even if breaking failed: it may have broken a part.
	if mendErr := c.mend(ctx, fault, watch); mendErr != nil {
		return watch.conclude(), errors.Join(err, mendErr)
	}
	if err == nil {
		err = c.watch(ctx, crashSettle, watch, watch.whole)
	}
	if err != nil {
		err = fmt.Errorf("crash test on %s: %w; what it broke is mended", c.victim.Name, err)
	}
	if watch.report.State != cluster.Online {
		watch.report.Next = fmt.Sprintf("sirikata-cluster %s nodes boot %s", c.group.spec.Type, c.group.spec.Name)
	}
	return watch.conclude(), err
}

// mend undoes the fault, also after the context has ended.
func (c *crash) mend(ctx context.Context, fault fault, watch *crashWatch) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), mendTimeout, fmt.Errorf("gave up after %v", mendTimeout))
	defer cancel()
	if c.options.Kind != CrashProcess { // which the cluster mends itself
		c.group.env.progress(c.victim.Name + ": mending it")
	}
	err := fault.undo(ctx, watch)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("mend %s: %w", c.victim.Name, err)
	if cluster.HintOf(err) != "" {
		return err
	}
	return cluster.WithHint(err, "mend it by hand: %s", fault.left)
}

const (
	// crashPause is the pause between two looks at the cluster.
	crashPause = 100 * time.Millisecond
	// crashLook is how long a look may take: a node that hangs is not waited for.
	crashLook = 5 * time.Second
	// crashSettle is for how long all has to be well before the test ends: a node
	// that comes back may disturb what runs.
	crashSettle = 2 * time.Second
)

// watch looks at the cluster until done has said so for a while, or the time is
// over, which is no error.
func (c *crash) watch(ctx context.Context, while time.Duration, watch *crashWatch, done func(at time.Duration) bool) error {
	patience, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	var since time.Time
	for {
		// A cluster that has just lost a node may not answer for a moment.
		if status, err := c.look(patience); err == nil {
			at := time.Since(watch.began)
			watch.see(status, at)
			switch {
			case !done(at):
				since = time.Time{}
			case since.IsZero():
				since = time.Now()
			}
			if !since.IsZero() && time.Since(since) >= while {
				return nil
			}
		}
		select {
		case <-patience.Done():
			return context.Cause(ctx) // nil where only the patience is at its end
		case <-time.After(crashPause):
		}
	}
}

func (c *crash) look(ctx context.Context) (cluster.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, crashLook)
	defer cancel()
	return c.engine.Status(ctx)
}
