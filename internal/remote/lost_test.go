package remote_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

func TestRunConnectionLost(t *testing.T) {
	type dial func(context.Context, remote.Host, *remote.HostKeys) (*remote.Client, error)
	for name, test := range map[string]struct {
		dial  dial
		fault func(*remotetest.Server, *remote.Client)
		class error
		want  string
	}{
		"broken off": {remote.Dial, func(s *remotetest.Server, _ *remote.Client) { s.Drop() }, remote.ErrUnreachable,
			`run "sh" on node2: connection lost: closed by the other side`},
		"frozen": {remote.DialWatchful, func(s *remotetest.Server, _ *remote.Client) { s.Freeze() }, remote.ErrUnreachable,
			`run "sh" on node2: connection lost: no answer for 200ms`},
		"closed by us": {remote.Dial, func(_ *remotetest.Server, c *remote.Client) { _ = c.Close() }, net.ErrClosed,
			`run "sh" on node2: use of closed network connection`},
	} {
		t.Run(name, func(t *testing.T) {
			server := remotetest.Start(t, remotetest.Config{Real: true})
			client, err := test.dial(testContext(t), server.Host("node2"), newKeys(t))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			_, err = client.Run(testContext(t), remote.Command{
				Argv: shell("echo up; exec cat"), Stdin: blocked(t),
				Stdout: onWrite(func() { test.fault(server, client) }),
			})
			wantText(t, err, server.Addr, test.want)
			if !errors.Is(err, test.class) || remote.Retryable(err) != errors.Is(test.class, remote.ErrUnreachable) {
				t.Errorf("class of %v", err)
			}
			if _, again := client.Output(testContext(t), "true"); !errors.Is(again, test.class) {
				t.Errorf("on the lost connection: %v", again)
			}
			if !client.Closed() {
				t.Error("the client is not closed")
			}
			for range 2 {
				if err := client.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
		})
	}
}

// TestRunWhileAnswersQueue: output alone shows that the node lives.
func TestRunWhileAnswersQueue(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Mute: true, Handler: func(_ string, _ io.Reader, stdout, _ io.Writer) int {
		pause := time.NewTicker(20 * time.Millisecond)
		defer pause.Stop()
		for range 50 { // five times as long as silence is borne
			<-pause.C
			if _, err := io.WriteString(stdout, "."); err != nil {
				return 1
			}
		}
		return 0
	}})
	client, err := remote.DialWatchful(testContext(t), server.Host("node2"), newKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if out, err := client.Output(testContext(t), "dots"); err != nil || len(out) != 50 {
		t.Errorf("%d dots, %v", len(out), err)
	}
}

// TestRunCancelledFrozen: a node that is silent cannot hold up a cancelled Run.
func TestRunCancelledFrozen(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	client, err := remote.Dial(testContext(t), server.Host("node2"), newKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithCancel(testContext(t))
	_, err = client.Run(ctx, remote.Command{
		Argv: shell("echo up; exec cat"), Stdin: blocked(t),
		Stdout: onWrite(func() { server.Freeze(); cancel() }),
	})
	if !errors.Is(err, context.Canceled) || client.Closed() {
		t.Errorf("error is %v, closed: %v", err, client.Closed())
	}
}

// blocked is input that does not come before the test ends.
func blocked(t *testing.T) io.Reader {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r
}
