package remote_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// askingHost is a host whose sudo asks for a password, and counts.
type askingHost struct {
	*remotetest.Server
	asked, tries atomic.Int32
}

// newAskingHost asks judge whether a password is right.
func newAskingHost(t *testing.T, judge func(password string) bool) *askingHost {
	t.Helper()
	host := &askingHost{}
	host.Server = remotetest.Start(t, remotetest.Config{Handler: func(line string, stdin io.Reader, stdout, stderr io.Writer) int {
		if !strings.Contains(line, "sudo -k -S") {
			host.asked.Add(1)
			_, _ = io.WriteString(stdout, "1000\n")
			_, _ = io.WriteString(stderr, "sudo: a password is required\n")
			return 1
		}
		host.tries.Add(1)
		password, _ := io.ReadAll(stdin)
		if judge(strings.TrimSuffix(string(password), "\n")) {
			return 0
		}
		_, _ = io.WriteString(stderr, "Sorry, try again.\nsudo: 1 incorrect password attempt\n")
		return 1
	}})
	return host
}

// roots becomes root on the first count hosts of a pool, a, b, …, all at once, and
// returns why it could not.
func roots(t *testing.T, pool *remote.Pool, count int) []error {
	t.Helper()
	errs := make([]error, count)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = pool.Root().Client(testContext(t), string(rune('a'+i))) })
	}
	group.Wait()
	return errs
}

// refusals are the errors of hosts on which the password was tried, and of those
// on which it was not.
func refusals(t *testing.T, errs []error) (own, others []*remote.SudoError) {
	t.Helper()
	for _, err := range errs {
		var refused *remote.SudoError
		switch {
		case !errors.As(err, &refused) || refused.Fault != remote.SudoWrongPassword:
			t.Fatalf("error is %v", err)
		case refused.Elsewhere == nil:
			own = append(own, refused)
		default:
			others = append(others, refused)
		}
	}
	return own, others
}

// TestSudoRefusedOnce: of all hosts one is given the wrong password, once,
// however often they are connected to.
func TestSudoRefusedOnce(t *testing.T) {
	var hosts []*askingHost
	tries := func() (count int) {
		for _, host := range hosts {
			count += int(host.tries.Load())
		}
		return count
	}
	all := make(chan struct{}) // closed when all hosts have asked
	var servers []*remotetest.Server
	for range 4 {
		host := newAskingHost(t, func(string) bool { <-all; return false })
		hosts, servers = append(hosts, host), append(servers, host.Server)
	}
	sudo := &remote.Sudo{Password: "wrong"}
	ended := make(chan []error)
	go func() { ended <- roots(t, sudoPool(t, sudo, servers...), len(hosts)) }()
	waitFor(t, "all hosts to ask", func() bool {
		return !slices.ContainsFunc(hosts, func(host *askingHost) bool { return host.asked.Load() == 0 })
	})
	close(all)
	own, others := refusals(t, <-ended)
	if len(own) != 1 || tries() != 1 {
		t.Fatalf("%d hosts refused it, after %d tries", len(own), tries())
	}
	for _, other := range others {
		want := "become root on " + other.Node + ` as "` + other.User + `": sudo refused the password on ` + own[0].Node + ", so it was not tried here"
		if other.Elsewhere != own[0] || other.Node == own[0].Node || other.Error() != want || other.Hint() != own[0].Hint() {
			t.Errorf("error is %v, hint %q", other, other.Hint())
		}
	}
	again := sudoPool(t, sudo, servers...)
	if _, err := again.Root().Any(testContext(t), nil); err == nil {
		t.Error("root on any host")
	}
	second, _ := refusals(t, roots(t, again, len(hosts)))
	if len(second) != 1 || second[0] != own[0] || tries() != 1 {
		t.Errorf("on new connections %v, after %d tries", second, tries())
	}
}

// TestSudoAccepted: a password that one host accepted is tried by others at the same
// time, and once by each that refuses it.
func TestSudoAccepted(t *testing.T) {
	var refusing atomic.Int32
	both := make(chan struct{}) // closed when two hosts try
	good := newAskingHost(t, func(string) bool { return true })
	refuse := func(string) bool {
		if refusing.Add(1) == 2 {
			close(both)
		}
		<-both
		return false
	}
	bad, worse := newAskingHost(t, refuse), newAskingHost(t, refuse)
	sudo := &remote.Sudo{Password: rightPassword}
	for connection := range 2 {
		pool := sudoPool(t, sudo, good.Server, bad.Server, worse.Server)
		mustClient(t, pool.Root(), "a")
		errs := roots(t, pool, 3)
		if own, _ := refusals(t, errs[1:]); errs[0] != nil || len(own) != 2 || own[0].Node != "b" || own[1].Node != "c" {
			t.Errorf("errors are %v", errs)
		}
		if bad.tries.Load() != 1 || worse.tries.Load() != 1 || int(good.tries.Load()) != connection+1 {
			t.Errorf("connection %d: %d, %d and %d tries", connection, good.tries.Load(), bad.tries.Load(), worse.tries.Load())
		}
	}
}

// TestSudoTurn passes the turn on from a host that never said whether the password
// was right, but not to one that waits no longer.
func TestSudoTurn(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	silent := newAskingHost(t, func(string) bool { <-over; return false })
	impatient := newAskingHost(t, func(string) bool { return true })
	patient := newAskingHost(t, func(string) bool { return true })
	pool := sudoPool(t, &remote.Sudo{Password: rightPassword}, silent.Server, impatient.Server, patient.Server)
	root := func(ctx context.Context, name string) chan error {
		ended := make(chan error, 1)
		go func() { _, err := pool.Root().Client(ctx, name); ended <- err }()
		return ended
	}
	lost := root(testContext(t), "a")
	waitFor(t, "the first try", func() bool { return silent.tries.Load() == 1 })
	ctx, cancel := context.WithCancel(testContext(t))
	gaveUp, waits := root(ctx, "b"), root(testContext(t), "c")
	waitFor(t, "the others", func() bool { return impatient.asked.Load() == 1 && patient.asked.Load() == 1 })
	cancel()
	wantText(t, <-gaveUp, "", "become root on b: context canceled")
	silent.Drop()
	if err := <-lost; !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("the first: %v", err)
	}
	if err := <-waits; err != nil || patient.tries.Load() != 1 || impatient.tries.Load() != 0 {
		t.Errorf("%v, after %d and %d tries", err, patient.tries.Load(), impatient.tries.Load())
	}
}
