package fence

import (
	"context"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// startLimit bounds the start of a machine after a reboot was answered.
const startLimit = 60 * time.Second

// reboot kills a machine and starts it again, but leaves one off that was off:
// whoever switched it off wants it so. It returns when the machine is off, which
// is all that the others wait for, and starts it after the pause.
func (p *power) reboot(ctx context.Context, index int, pause time.Duration) (answer, error) {
	release, err := p.only(ctx, index)
	if err != nil {
		return answer{}, err
	}
	defer release()
	killed, err := p.kill(ctx, index)
	switch {
	case err != nil:
		return answer{}, err
	case len(killed) > 0:
		p.callOff(index)
		p.startLater(ctx, index, killed, pause)
		return answer{Did: "was killed and starts again"}, nil
	case p.starts(index):
		return answer{Did: "is off and starts again"}, nil
	}
	return answer{Did: "was off already and stays so"}, nil
}

// startLater starts machines after a pause, unless that is called off.
func (p *power) startLater(ctx context.Context, index int, ids []string, pause time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pause+startLimit)
	p.mutex.Lock()
	p.later[index] = cancel
	p.mutex.Unlock()
	go func() {
		defer cancel()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		release, err := p.only(ctx, index)
		if err != nil {
			return // called off by the one who had it
		}
		defer release()
		if ctx.Err() != nil {
			return
		}
		if err := p.start(ctx, ids); err != nil {
			p.log("start %s after its reboot: %v", cluster.NodeName(index), err)
		}
		p.callOff(index)
	}()
}

// starts reports whether a machine that is off will start again.
func (p *power) starts(index int) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.later[index] != nil
}

// callOff takes back that a machine starts again, if it has yet to. Only who may
// switch the machine may call it.
func (p *power) callOff(index int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if cancel := p.later[index]; cancel != nil {
		cancel()
		delete(p.later, index)
	}
}

func (p *power) start(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := p.engine.start(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
