package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// freeAddr is an address at which nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestDialUnreachable(t *testing.T) {
	for stage, want := range map[remotetest.Stage]string{
		remotetest.AtAccept:    "connect to node2 at ADDR: no answer for 200ms",
		remotetest.AtHandshake: "connect to node2 at ADDR: no answer for 200ms",
		remotetest.AtLogin:     "connect to node2 at ADDR: no answer for 200ms",
	} {
		server := remotetest.Start(t, remotetest.Config{Hang: stage})
		_, err := remote.DialImpatient(testContext(t), server.Host("node2"), newKeys(t))
		wantText(t, err, server.Addr, want)
		wantClass(t, err, remote.ErrUnreachable)
	}
	host := remote.Host{Name: "node2", Addr: freeAddr(t)}
	_, err := remote.Dial(testContext(t), host, newKeys(t))
	wantText(t, err, host.Addr, "connect to node2 at ADDR: connection refused")
	wantClass(t, err, remote.ErrUnreachable)
}

// TestDialBrokenOff meets what a published port of a container does until sshd
// is up: it accepts and closes.
func TestDialBrokenOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			_ = conn.Close()
		}
	}()
	host := remote.Host{Name: "node2", Addr: listener.Addr().String()}
	_, err = remote.Dial(testContext(t), host, newKeys(t))
	wantClass(t, err, remote.ErrUnreachable)
}

func TestDialCancelled(t *testing.T) {
	stop := errors.New("the user has enough")
	for _, stage := range []remotetest.Stage{remotetest.AtAccept, remotetest.AtHandshake, remotetest.AtLogin} {
		server := remotetest.Start(t, remotetest.Config{Hang: stage})
		ctx, cancel := context.WithCancelCause(testContext(t))
		time.AfterFunc(20*time.Millisecond, func() { cancel(stop) })
		_, err := remote.Dial(ctx, server.Host("node2"), newKeys(t))
		wantText(t, err, server.Addr, "connect to node2 at ADDR: the user has enough")
		if !errors.Is(err, stop) || remote.Retryable(err) {
			t.Errorf("stage %d: %v", stage, err)
		}
	}
}

func TestDialRefused(t *testing.T) {
	key := remotetest.NewKey(t)
	offered := "ssh-ed25519 " + ssh.FingerprintSHA256(key.PublicKey())
	for _, test := range []struct {
		config remotetest.Config
		keys   []ssh.Signer
		want   string
	}{
		{remotetest.Config{}, []ssh.Signer{key}, "it refused " + offered},
		{remotetest.Config{}, nil, "we have no key to offer"},
		{remotetest.Config{Password: "x"}, []ssh.Signer{key, key},
			fmt.Sprintf("it refused %s, %s; it accepts password, which we cannot do", offered, offered)},
		{remotetest.Config{Password: "x", NoKeys: true}, []ssh.Signer{key},
			"it does not accept keys; it accepts password, which we cannot do"},
	} {
		server := remotetest.Start(t, test.config)
		host := server.Host("node2")
		host.Keys = test.keys
		_, err := remote.Dial(testContext(t), host, newKeys(t))
		wantText(t, err, server.Addr, `log in to node2 at ADDR as "tester": `+test.want)
		wantClass(t, err, remote.ErrAuth)
	}
}

func TestDialBadAddress(t *testing.T) {
	_, err := remote.Dial(testContext(t), remote.Host{Name: "node2", Addr: "nowhere"}, newKeys(t))
	if err == nil || remote.Retryable(err) {
		t.Errorf("error is %v", err)
	}
}

// wantClass fails unless err is of that class alone, and retryable.
func wantClass(t *testing.T, err, class error) {
	t.Helper()
	other := remote.ErrAuth
	if errors.Is(class, other) {
		other = remote.ErrUnreachable
	}
	if !errors.Is(err, class) || errors.Is(err, other) {
		t.Errorf("not %q alone: %v", class, err)
	}
	if !remote.Retryable(err) {
		t.Errorf("not retryable: %v", err)
	}
}

func TestRetryable(t *testing.T) {
	lost := &remote.UnreachableError{Err: errors.New("x")}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("x"), false},
		{lost, true},
		{fmt.Errorf("run it: %w", lost), true},
		{&remote.AuthError{}, true},
		{&remote.ExitError{Code: 1}, false},
		{&remote.HostKeyChangedError{}, false},
		{errors.Join(lost, &remote.HostKeyChangedError{}), false},
		{errors.Join(lost, context.Canceled), false},
		{fmt.Errorf("%w; at last: %w", context.DeadlineExceeded, lost), true},
	} {
		if got := remote.Retryable(test.err); got != test.want {
			t.Errorf("Retryable(%v) = %v", test.err, got)
		}
	}
}
