package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// timing bounds every wait for a node.
type timing struct {
	connect   time.Duration // for a TCP connection
	handshake time.Duration // from there until we are logged in
	interval  time.Duration // between keepalives
	silences  int           // so many intervals without a byte, and the node is lost
}

// defaultTiming notices a dead or frozen node within 10 s. A login takes long on
// a machine that boots, or that looks up our name in a DNS that is not there.
func defaultTiming() timing {
	return timing{connect: 5 * time.Second, handshake: 15 * time.Second, interval: 3 * time.Second, silences: 2}
}

// Dial connects to a host, checks its key and logs in. The context bounds the
// dialling alone: the client lives until [Client.Close], or until the node is
// silent for about 10 s. Without an answer it gives up after 5 s, and during
// the handshake after 15 s.
//
// A host that OpenSSH is asked about is reached as ssh would reach it, through
// jump hosts if need be; the operator's own machine ([Host.Here]) without SSH.
//
// Errors: [ErrUnreachable] and [ErrAuth], both retryable; and, permanent,
// [*HostKeyChangedError], a file of host keys that cannot be used, a server with
// which we have no algorithm in common, and the cause of a context that ended.
func Dial(ctx context.Context, host Host, keys *HostKeys) (*Client, error) {
	return dial(ctx, host, keys, defaultTiming())
}

func dial(ctx context.Context, host Host, keys *HostKeys, timing timing) (*Client, error) {
	if host.Here {
		return newHere(host)
	}
	if host.OpenSSH == nil {
		return enter(ctx, host, keys, timing)
	}
	way, err := host.OpenSSH.route(ctx, host, keys)
	if err != nil {
		return nil, err
	}
	defer way.close()
	return enter(ctx, way.host, way.keys, timing)
}

// enter connects to a host whose address and keys are known.
func enter(ctx context.Context, host Host, keys *HostKeys, timing timing) (*Client, error) {
	expected, err := keys.expect(host)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, host, timing)
	if err != nil {
		return nil, err
	}
	login := &login{host: host}
	config := &ssh.ClientConfig{
		User:              host.User,
		Auth:              login.methods(),
		AuthCallback:      login.observe,
		HostKeyCallback:   expected.check,
		HostKeyAlgorithms: expected.algorithms,
	}
	client, err := handshake(ctx, conn, host, config, timing)
	if err == nil {
		return newClient(host, client, conn, timing), nil
	}
	var mismatch *ssh.AlgorithmNegotiationError
	if expected.known != "" && errors.As(err, &mismatch) && mismatch.What == "host key" {
		// It no longer has a key of the type that we know.
		if offered, fetchErr := fetchHostKey(ctx, host, timing); fetchErr == nil {
			return nil, keys.changed(host, expected.known, offered)
		}
	}
	return nil, login.explain(ctx, err)
}

// FetchHostKey returns the key that a host shows, of the type that we would pin.
// Nothing vouches for it: show its fingerprint to somebody who knows. It does not
// log in. Errors as of [Dial].
func FetchHostKey(ctx context.Context, host Host) (ssh.PublicKey, error) {
	if host.OpenSSH != nil {
		way, err := host.OpenSSH.route(ctx, host, &HostKeys{})
		if err != nil {
			return nil, err
		}
		way.close()
		host = way.host
	}
	return fetchHostKey(ctx, host, defaultTiming())
}

func fetchHostKey(ctx context.Context, host Host, timing timing) (ssh.PublicKey, error) {
	conn, err := connect(ctx, host, timing)
	if err != nil {
		return nil, err
	}
	var seen *offeredKey
	config := &ssh.ClientConfig{
		HostKeyAlgorithms: plainAlgorithms(),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			return &offeredKey{key}
		},
	}
	client, err := handshake(ctx, conn, host, config, timing)
	if err == nil { // cannot be: the callback refuses every key
		_ = client.Close()
		return nil, fmt.Errorf("connect to %s: no host key was shown", host.where())
	}
	if errors.As(err, &seen) {
		return seen.key, nil
	}
	return nil, err
}

// offeredKey ends a handshake with what we wanted of it.
type offeredKey struct{ key ssh.PublicKey }

func (*offeredKey) Error() string { return "host key seen" }

func connect(ctx context.Context, host Host, timing timing) (*countingConn, error) {
	if _, _, err := net.SplitHostPort(host.Addr); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", host.where(), err)
	}
	if host.jump != nil {
		return connectThrough(ctx, host, timing)
	}
	limited, cancel := context.WithTimeoutCause(ctx, timing.connect, silence(timing.connect))
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(limited, "tcp", host.Addr)
	if err != nil {
		return nil, unreachable(ctx, limited, host, err)
	}
	return &countingConn{Conn: conn}, nil
}

// connectThrough connects by way of a jump host, which has its own time-outs.
func connectThrough(ctx context.Context, host Host, timing timing) (*countingConn, error) {
	jump, release, err := host.OpenSSH.acquire(ctx, *host.jump, host.trail, host.jumpKeys)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: through the jump host: %w", host.where(), err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, timing.connect, silence(timing.connect))
	defer cancel()
	conn, err := jump.ssh.DialContext(limited, "tcp", host.Addr)
	if err != nil {
		release()
		return nil, unreachable(ctx, limited, host, fmt.Errorf("through the jump host %s: %w", host.jump.host, err))
	}
	return &countingConn{Conn: &jumpedConn{Conn: conn, release: sync.OnceFunc(release)}}, nil
}

// handshake takes conn over: it is closed unless a client is returned.
func handshake(ctx context.Context, conn net.Conn, host Host, config *ssh.ClientConfig, timing timing) (*ssh.Client, error) {
	limited, cancel := context.WithTimeoutCause(ctx, timing.handshake, silence(timing.handshake))
	defer cancel()
	stop := context.AfterFunc(limited, func() { _ = conn.Close() })
	sshConn, channels, requests, err := ssh.NewClientConn(conn, host.Addr, config)
	if err == nil && stop() {
		return ssh.NewClient(sshConn, channels, requests), nil
	}
	stop()
	if err == nil {
		_ = sshConn.Close()
		err = net.ErrClosed
	}
	if limited.Err() != nil || isNetwork(err) {
		return nil, unreachable(ctx, limited, host, err)
	}
	return nil, fmt.Errorf("connect to %s: %w", host.where(), err)
}

// unreachable tells the caller's end of patience, which is no word about the
// node, from ours.
func unreachable(ctx, limited context.Context, host Host, err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		<-limited.Done() // the dialler has a clock of its own, which may be ahead
	}
	if ctx.Err() != nil {
		return fmt.Errorf("connect to %s: %w", host.where(), context.Cause(ctx))
	}
	if limited.Err() != nil {
		err = context.Cause(limited)
	}
	return &UnreachableError{Node: host.Name, Addr: host.Addr, Err: err, byHand: host.byHand()}
}

// isNetwork tells a connection that broke from a server that said something
// that we did not like, and from a file of host keys that cannot be used, whose
// errors look the same to net.Error.
func isNetwork(err error) bool {
	var check *hostKeyError
	if errors.As(err, &check) {
		return false
	}
	var network net.Error // as is every syscall error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network)
}

func silence(d time.Duration) error { return fmt.Errorf("no answer for %v", d) }
