package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

// Names on the bus (org.freedesktop.systemd1(5)).
const (
	systemdName    = "org.freedesktop.systemd1"
	systemdPath    = dbus.ObjectPath("/org/freedesktop/systemd1")
	managerMethods = systemdName + ".Manager."
	noSuchUnit     = systemdName + ".NoSuchUnit"
	unitExists     = systemdName + ".UnitExists"
	// privateSocket leads to systemd itself. systemctl uses it too: services
	// must not depend on the bus daemon being there.
	privateSocket = "/run/systemd/private"
)

// systemd is the service manager of this machine, over one connection.
type systemd struct {
	wait    time.Duration // for how long it may be unreachable
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

var _ manager = (*systemd)(nil)

func (s *systemd) close() {
	if s.conn != nil {
		// Nothing is buffered that closing could lose.
		_ = s.conn.Close()
		s.conn = nil
	}
}

// connect waits until systemd can be reached; it cannot for a moment while it
// re-executes itself.
func (s *systemd) connect(ctx context.Context) error {
	if s.conn != nil && s.conn.Connected() {
		return nil
	}
	s.close()
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	var cause error
	err := poll(ctx, 20*time.Millisecond, func() (bool, error) {
		s.conn, cause = dial(ctx)
		return cause == nil, nil
	})
	if err != nil {
		return fmt.Errorf("reach systemd: %w", cause)
	}
	s.signals = make(chan *dbus.Signal, 64)
	s.conn.Signal(s.signals)
	return nil
}

func dial(ctx context.Context) (*dbus.Conn, error) {
	if _, err := os.Stat(privateSocket); err != nil {
		return dialBus()
	}
	conn, err := dbus.Dial("unix:path=" + privateSocket)
	if err != nil {
		return nil, err
	}
	// There is no bus behind this socket to say hello to.
	if err := conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := greet(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// greet makes sure that systemd answers. When systemd takes the end of the
// authentication and the first message from the socket in one read, it leaves
// the message lie until the next one comes (seen with systemd 252, in about
// half of the connections of a busy machine). So messages that mean nothing are
// sent until one is answered.
func greet(ctx context.Context, conn *dbus.Conn) error {
	const first, longest, enough = 500 * time.Microsecond, time.Second, 16 // doubled each time: 12 at most
	answers := make(chan *dbus.Call, enough)
	systemd := conn.Object(systemdName, systemdPath)
	for pause := first; pause <= longest; pause *= 2 {
		systemd.Go("org.freedesktop.DBus.Peer.Ping", 0, answers)
		select {
		case call := <-answers:
			return call.Err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return errors.New("no answer")
}

func dialBus() (*dbus.Conn, error) {
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		return nil, err
	}
	err = conn.AddMatchSignal(dbus.WithMatchInterface(systemdName+".Manager"), dbus.WithMatchMember("JobRemoved"))
	if err == nil {
		err = conn.Object(systemdName, systemdPath).Call(managerMethods+"Subscribe", 0).Err
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// call calls a method of the manager. A connection that breaks is made again
// once; so only methods that may run twice go through here.
func (s *systemd) call(ctx context.Context, path dbus.ObjectPath, method string, args []any, results ...any) error {
	for attempt := 0; ; attempt++ {
		if err := s.connect(ctx); err != nil {
			return err
		}
		err := s.conn.Object(systemdName, path).CallWithContext(ctx, method, 0, args...).Store(results...)
		if err == nil || ctx.Err() != nil || attempt > 0 || s.conn.Connected() {
			return err
		}
	}
}

func (s *systemd) manage(ctx context.Context, method string, args []any, results ...any) error {
	return s.call(ctx, systemdPath, managerMethods+method, args, results...)
}

func hasName(err error, name string) bool {
	var failure dbus.Error
	return errors.As(err, &failure) && failure.Name == name
}

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

func (s *systemd) start(ctx context.Context, unit string, properties []property) error {
	type auxiliary struct {
		Name       string
		Properties []property
	}
	args := []any{unit, "fail", properties, []auxiliary{}}
	// A unit of that name that was just given up is still there until systemd
	// comes round to its rubbish.
	return poll(ctx, 5*time.Millisecond, func() (bool, error) {
		err := s.job(ctx, "StartTransientUnit", args)
		if hasName(err, unitExists) {
			return false, nil
		}
		return true, err
	})
}

// stop ignores dependencies, which means the order only: with it, the stop
// would wait for the stop of pacemaker.service, which waits for Pacemaker to
// stop its resources, which waits for this. (Pacemaker removes its own Before=
// before it stops a systemd resource; a transient unit's cannot be removed.)
func (s *systemd) stop(ctx context.Context, unit string) error {
	err := s.job(ctx, "StopUnit", []any{unit, "ignore-dependencies"})
	if hasName(err, noSuchUnit) {
		return nil
	}
	return err
}

// job calls a method that makes a job and waits for the job's end.
func (s *systemd) job(ctx context.Context, method string, args []any) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	var job dbus.ObjectPath
	object := s.conn.Object(systemdName, systemdPath)
	if err := object.CallWithContext(ctx, managerMethods+method, 0, args...).Store(&job); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for systemd's %s: %w", method, ctx.Err())
		case signal, open := <-s.signals:
			if !open {
				return fmt.Errorf("wait for systemd's %s: connection lost", method)
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
