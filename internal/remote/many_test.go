package remote_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// TestFirst lets one host in four let us in, with what the others do.
func TestFirst(t *testing.T) {
	good := remotetest.Start(t, remotetest.Config{})
	hanging := remotetest.Start(t, remotetest.Config{Hang: remotetest.AtHandshake})
	gone := remote.Host{Name: "gone", Addr: freeAddr(t)}
	refused := good.Host("refused")
	refused.Keys = nil
	for name, test := range map[string]struct {
		hosts   []remote.Host
		stagger time.Duration
	}{
		"the first":                  {[]remote.Host{good.Host("good"), gone}, time.Hour},
		"after failures, at once":    {[]remote.Host{gone, refused, good.Host("good")}, time.Hour},
		"after a hanging one":        {[]remote.Host{hanging.Host("hangs"), good.Host("good")}, 20 * time.Millisecond},
		"all at once, losers closed": {[]remote.Host{good.Host("good"), good.Host("good"), good.Host("good")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			// Shorter than the wait for a host that hangs: losers are not waited for.
			ctx, cancel := context.WithTimeout(testContext(t), 10*time.Second)
			defer cancel()
			client, err := remote.First(ctx, test.hosts, newKeys(t), test.stagger)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			if ctx.Err() != nil {
				t.Error("it waited for a host that hangs")
			}
			if client.Name() != "good" {
				t.Errorf("%s is first", client.Name())
			}
			if _, err := client.Output(testContext(t), "x"); err == nil || errors.Is(err, remote.ErrUnreachable) {
				t.Errorf("the winner is of no use: %v", err)
			}
			waitFor(t, "one connection to the good host", func() bool { return good.Connections() == 1 })
			waitFor(t, "no connection to the hanging host", func() bool { return hanging.Connections() == 0 })
		})
		waitFor(t, "no connection to the good host", func() bool { return good.Connections() == 0 })
	}
}

// TestFirstClosesLosers: a host that lets us in too late is left again.
func TestFirstClosesLosers(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	early, late := connect(t, server), connect(t, server)
	if winner := remote.Race(early, late); winner != early || early.Closed() || !late.Closed() {
		t.Errorf("early wins: %v, closed: %v, %v", winner == early, early.Closed(), late.Closed())
	}
}

func TestFirstNone(t *testing.T) {
	a := remote.Host{Name: "a", Addr: freeAddr(t)}
	b := remote.Host{Name: "b", Addr: freeAddr(t)}
	_, err := remote.First(testContext(t), []remote.Host{a, b}, newKeys(t), time.Hour)
	var node *cluster.NodeError
	if !errors.As(err, &node) || node.Node != "a" || !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("error is %v", err)
	}
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "a: ") || !strings.HasPrefix(lines[1], "b: ") {
		t.Errorf("lines are %q", lines)
	}
	if _, err := remote.First(testContext(t), nil, newKeys(t), 0); err == nil {
		t.Error("no host, no error")
	}
}

func TestFirstCancelled(t *testing.T) {
	hanging := remotetest.Start(t, remotetest.Config{Hang: remotetest.AtAccept})
	ctx, cancel := context.WithTimeout(testContext(t), 30*time.Millisecond)
	defer cancel()
	_, err := remote.First(ctx, []remote.Host{hanging.Host("a"), hanging.Host("b")}, newKeys(t), time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// TestWaitDial follows a node that boots: nothing listens, then no key is
// accepted, then ours is.
func TestWaitDial(t *testing.T) {
	key := remotetest.NewKey(t)
	host := remote.Host{Name: "node2", Addr: freeAddr(t), User: "tester", Keys: []ssh.Signer{key}}
	var server *remotetest.Server
	var seen []error
	client, err := remote.WaitDial(testContext(t), host, newKeys(t), func(err error) {
		seen = append(seen, err)
		switch len(seen) {
		case 2:
			server = remotetest.Start(t, remotetest.Config{Addr: host.Addr})
		case 4:
			server.Authorize(key.PublicKey())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	for i, want := range []error{remote.ErrUnreachable, remote.ErrUnreachable, remote.ErrAuth, remote.ErrAuth} {
		if i >= len(seen) || !errors.Is(seen[i], want) {
			t.Fatalf("reports are %v", seen)
		}
	}
}

func TestWaitDialEnds(t *testing.T) {
	host := remote.Host{Name: "node2", Addr: freeAddr(t)}
	ctx, cancel := context.WithCancelCause(testContext(t))
	_, err := remote.WaitDial(ctx, host, newKeys(t), func(error) { cancel(errBroken) })
	wantText(t, err, host.Addr, "wait for node2 at ADDR: broken; at last: connect to node2 at ADDR: connection refused")
	if !errors.Is(err, errBroken) || !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("class of %v", err)
	}
}

func TestWaitDialChangedKey(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	keys, wrong := newKeys(t), remotetest.NewKey(t).PublicKey()
	if err := keys.Pin("node2", wrong); err != nil {
		t.Fatal(err)
	}
	_, err := remote.WaitDial(testContext(t), server.Host("node2"), keys, func(err error) { t.Errorf("went on after %v", err) })
	checkChanged(t, err, server, wrong, server.HostKey())
}

func TestEach(t *testing.T) {
	items := []int{3, 1, 2, 0}
	var mu sync.Mutex
	done, running, most := 0, 0, 0
	err := remote.Each(testContext(t), items, 2, func(_ context.Context, item int) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			running--
			done++
		}()
		if item == 0 {
			return nil
		}
		return fmt.Errorf("item %d", item)
	})
	wantText(t, err, "", "item 3\nitem 1\nitem 2")
	if done != len(items) || most > 2 {
		t.Errorf("%d done, %d at once", done, most)
	}
	if err := remote.Each(testContext(t), items, 0, func(context.Context, int) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestEachAtOnce needs all items to run at the same time.
func TestEachAtOnce(t *testing.T) {
	var all sync.WaitGroup
	all.Add(20)
	err := remote.Each(testContext(t), make([]struct{}, 20), 0, func(ctx context.Context, _ struct{}) error {
		all.Done()
		all.Wait()
		return ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

// waitFor waits until something holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx := testContext(t)
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-pause.C:
		case <-ctx.Done():
			t.Fatalf("still waiting for %s", what)
		}
	}
}
