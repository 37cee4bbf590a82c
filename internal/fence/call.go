package fence

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// redialPause is between two attempts to reach a power service that is just
// being replaced by another version.
const redialPause = 100 * time.Millisecond

var errRefused = errors.New("it does not accept our secret")

// call asks the power service, once. An error says that it did not do what it
// was asked to, or that this is not known. ctx needs a deadline.
func call(ctx context.Context, address string, secret []byte, req request) (answer, error) {
	conn, err := dial(ctx, address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close() //nolint:errcheck // what counts was received
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return answer{}, err
		}
	}
	w := newWire(conn)
	hello, err := w.receive()
	if err != nil {
		return answer{}, fmt.Errorf("read its greeting: %w", err)
	}
	if !strings.HasPrefix(hello, greeting) {
		return answer{}, errors.New("what answers there is no power service, or speaks another version of its language")
	}
	req.Nonce = nonce()
	line, err := seal(secret, hello, req)
	if err != nil {
		return answer{}, err
	}
	if err := w.send(line); err != nil {
		return answer{}, fmt.Errorf("send the request: %w", err)
	}
	reply, err := w.receive()
	if err != nil {
		return answer{}, fmt.Errorf("wait for its answer: %w", err)
	}
	if reply == refusal {
		return answer{}, errRefused
	}
	var a answer
	if err := open(secret, line, reply, &a); err != nil {
		return answer{}, fmt.Errorf("read its answer: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// dial connects, and tries again while nobody listens or has the address, until
// ctx ends.
func dial(ctx context.Context, address string) (net.Conn, error) {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.EHOSTUNREACH) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(redialPause):
		}
	}
}
