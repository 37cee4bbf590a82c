package agent

import (
	"context"
	"time"
)

// manager is what the agent asks of systemd. Every method may be called again;
// each ends with ctx, with its error.
type manager interface {
	// state returns the state of the unit; a unit that is not loaded is no
	// error but the zero state.
	state(ctx context.Context, unit string) (unitState, error)
	// processes returns the process ids in the unit's control group.
	processes(ctx context.Context, unit string) ([]uint32, error)
	// start makes the transient unit, starts it and waits for the job. Its
	// result says only that the job ended: what came of it is in the state.
	start(ctx context.Context, unit string, properties []property) error
	// stop stops the unit and waits until it is done; a unit that is not
	// loaded is stopped.
	stop(ctx context.Context, unit string) error
	// kill sends SIGKILL to every process of the unit.
	kill(ctx context.Context, unit string) error
	// forget drops what systemd keeps of a unit that failed.
	forget(ctx context.Context, unit string) error
	close()
}

// unitState is what systemd knows of a unit. The zero value is a unit that is
// not loaded.
type unitState struct {
	active, sub string // ActiveState and SubState (systemctl(1))
	result      string
	invocation  string    // its id, new with every start
	began       time.Time // when it was started; zero when not known
	mainPID     uint32    // 0 when not known
	controlPID  uint32    // of the process that is to fork
	main        ending    // of the main process
	control     ending    // of the process that was to fork
	command     []string  // as systemd has it now; nil when not known
}

// phase is what a state means to the agent.
type phase int

const (
	gone     phase = iota // not there, and no process of it
	running               // as it should be
	changing              // starting or stopping: processes may be there
	ended                 // the service is dead, its unit kept to tell how
)

func (u unitState) phase() phase {
	switch u.active {
	case "", "inactive":
		return gone
	case "failed":
		return ended
	case "activating", "deactivating":
		return changing
	}
	if u.sub == "exited" {
		return ended
	}
	return running
}

// poll calls done every pause until it returns true or an error, or ctx ends.
func poll(ctx context.Context, pause time.Duration, done func() (bool, error)) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
