package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

func (s *systemd) processes(ctx context.Context, unit string) ([]uint32, error) {
	var found []struct {
		Group   string
		PID     uint32
		Command string
	}
	err := s.manage(ctx, "GetUnitProcesses", []any{unit}, &found)
	if hasName(err, noSuchUnit) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list processes of %s: %w", unit, err)
	}
	pids := make([]uint32, len(found))
	for i, process := range found {
		pids[i] = process.PID
	}
	return pids, nil
}

// listedUnit is a unit in a list.
type listedUnit struct {
	name  string
	state unitState // active and sub only
	job   string    // start, stop, restart…; empty when there is none
}

func (s *systemd) units(ctx context.Context, patterns ...string) ([]listedUnit, error) {
	var found []struct {
		Name, Description, Load, Active, Sub, Following string
		Path                                            dbus.ObjectPath
		JobID                                           uint32
		JobType                                         string
		JobPath                                         dbus.ObjectPath
	}
	if err := s.manage(ctx, "ListUnitsByPatterns", []any{[]string{}, patterns}, &found); err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	units := make([]listedUnit, len(found))
	for i, unit := range found {
		units[i] = listedUnit{name: unit.Name, state: unitState{active: unit.Active, sub: unit.Sub}, job: unit.JobType}
	}
	return units, nil
}

func (s *systemd) start(ctx context.Context, unit string, properties []property) error {
	type auxiliary struct {
		Name       string
		Properties []property
	}
	args := []any{unit, "fail", properties, []auxiliary{}}
	return poll(ctx, 5*time.Millisecond, func() (bool, error) {
		err := s.job(ctx, "StartTransientUnit", args)
		switch {
		case hasName(err, unitExists):
			// A unit of that name that was just given up is still there until
			// systemd comes round to its rubbish.
			return false, nil
		case errors.Is(err, errLost):
			return s.started(ctx, unit)
		}
		return true, err
	})
}

// started waits for the end of a start of which systemd can no longer tell,
// and reports whether there was one.
func (s *systemd) started(ctx context.Context, unit string) (bool, error) {
	var state unitState
	err := poll(ctx, retryPause, func() (bool, error) {
		var err error
		state, err = s.state(ctx, unit)
		return state.phase() != changing, err
	})
	return state.phase() != gone, err
}

// stop ignores dependencies, which means the order only: with it, the stop
// would wait for the stop of pacemaker.service, which waits for Pacemaker to
// stop its resources, which waits for this. (Pacemaker removes its own Before=
// before it stops a systemd resource; a transient unit's cannot be removed.)
func (s *systemd) stop(ctx context.Context, unit string) error {
	return poll(ctx, retryPause, func() (bool, error) {
		err := s.job(ctx, "StopUnit", []any{unit, "ignore-dependencies"})
		switch {
		case hasName(err, noSuchUnit):
			return true, nil
		case errors.Is(err, errLost):
			return false, nil
		}
		return true, err
	})
}

// job calls a method that makes a job and waits for the job's end. errLost is
// returned when systemd went away meanwhile.
func (s *systemd) job(ctx context.Context, method string, args []any) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	s.listen()
	var job dbus.ObjectPath
	object := s.conn.Object(systemdName, systemdPath)
	if err := object.CallWithContext(ctx, managerMethods+method, 0, args...).Store(&job); s.lost(err) {
		return errLost
	} else if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for systemd's %s: %w", method, ctx.Err())
		case signal, open := <-s.signals:
			if !open {
				s.close()
				return errLost
			}
			if signal.Name == managerMethods+"JobRemoved" && len(signal.Body) > 1 && signal.Body[1] == job {
				return nil
			}
		}
	}
}

func (s *systemd) kill(ctx context.Context, unit string) error {
	err := s.manage(ctx, "KillUnit", []any{unit, "all", int32(9)})
	if hasName(err, noSuchUnit) || hasName(err, systemdName+".NoSuchProcess") {
		return nil
	}
	return err
}

func (s *systemd) forget(ctx context.Context, unit string) error {
	err := s.manage(ctx, "ResetFailedUnit", []any{unit})
	if hasName(err, noSuchUnit) {
		return nil
	}
	return err
}
