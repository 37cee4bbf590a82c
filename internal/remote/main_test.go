package remote_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// TestMain fails when the tests leave goroutines of this package behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaked(10 * time.Second); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leaked waits until no goroutine of this package runs but the caller's, and
// returns those that stay.
func leaked(limit time.Duration) string {
	deadline := time.After(limit)
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		var left []string
		for i, stack := range strings.Split(string(stacks), "\n\n") {
			if i > 0 && (strings.Contains(stack, "internal/remote") || strings.Contains(stack, "x/crypto/ssh")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		select {
		case <-pause.C:
		case <-deadline:
			return strings.Join(left, "\n\n")
		}
	}
}

// testContext ends before the test binary's own time-out would.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newKeys(t *testing.T) *remote.HostKeys {
	t.Helper()
	return remote.NewHostKeys("world", filepath.Join(t.TempDir(), "pins"), "")
}

// connect dials a server.
func connect(t *testing.T, server *remotetest.Server) *remote.Client {
	t.Helper()
	client, err := remote.Dial(testContext(t), server.Host("node2"), newKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// wantText fails unless the error's message is want, in which ADDR stands for
// addr, unless that is empty.
func wantText(t *testing.T, err error, addr, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q", want)
	}
	got := err.Error()
	if addr != "" {
		got = strings.ReplaceAll(got, addr, "ADDR")
	}
	if got != want {
		t.Errorf("error\n got: %s\nwant: %s", got, want)
	}
}
