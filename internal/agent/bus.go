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
	signals chan *dbus.Signal // nil before the first job
}

var _ manager = (*systemd)(nil)

func (s *systemd) close() {
	if s.conn != nil {
		// Nothing is buffered that closing could lose.
		_ = s.conn.Close()
		s.conn, s.signals = nil, nil
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
	return nil
}

// listen begins to take systemd's signals in. Not before they are needed: a
// connection that lasts would collect all that systemd tells everybody.
func (s *systemd) listen() {
	if s.signals == nil {
		s.signals = make(chan *dbus.Signal, 64)
		s.conn.Signal(s.signals)
	}
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

// call calls a method of systemd, again when the connection broke, which it
// does when systemd re-executes itself. So only methods that may run twice go
// through here.
func (s *systemd) call(ctx context.Context, path dbus.ObjectPath, method string, args []any, results ...any) error {
	limited, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	var last error
	err := poll(limited, retryPause, func() (bool, error) {
		if last = s.connect(limited); last != nil {
			return true, last
		}
		last = s.conn.Object(systemdName, path).CallWithContext(limited, method, 0, args...).Store(results...)
		if s.lost(last) {
			return false, nil
		}
		return true, last
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

// retryPause is what systemd gets to come back after a connection broke.
const retryPause = 20 * time.Millisecond

// errLost says that the connection broke before systemd answered: whether it
// did what it was asked is not known.
var errLost = errors.New("connection to systemd lost")

// lost reports whether err came of a broken connection, and closes that.
func (s *systemd) lost(err error) bool {
	var answer dbus.Error
	if err == nil || errors.As(err, &answer) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	s.close()
	return true
}

func (s *systemd) manage(ctx context.Context, method string, args []any, results ...any) error {
	return s.call(ctx, systemdPath, managerMethods+method, args, results...)
}

func hasName(err error, name string) bool {
	var failure dbus.Error
	return errors.As(err, &failure) && failure.Name == name
}
