package agent

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// fakeManager answers with the states of a script, the last one for ever. The
// lab tests run the same actions against systemd itself.
type fakeManager struct {
	t      *testing.T
	states []unitState
	pids   []uint32
	calls  []string
	// stubborn is a unit that does not stop before the agent's patience ends.
	stubborn bool
	startErr error
}

var _ manager = (*fakeManager)(nil)

func (f *fakeManager) state(context.Context, string) (unitState, error) {
	state := f.states[0]
	if len(f.states) > 1 {
		f.states = f.states[1:]
	}
	return state, nil
}

func (f *fakeManager) processes(context.Context, string) ([]uint32, error) { return f.pids, nil }

func (f *fakeManager) start(_ context.Context, unit string, _ []property) error {
	f.calls = append(f.calls, "start "+unit)
	return f.startErr
}

func (f *fakeManager) stop(ctx context.Context, unit string) error {
	f.calls = append(f.calls, "stop "+unit)
	if f.stubborn {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (f *fakeManager) kill(_ context.Context, unit string) error {
	f.calls = append(f.calls, "kill "+unit)
	f.stubborn = false
	return nil
}

func (f *fakeManager) forget(_ context.Context, unit string) error {
	f.calls = append(f.calls, "forget "+unit)
	return nil
}

func (f *fakeManager) close() {}

// fakeWatcher reports all its processes dead at once, or none ever.
type fakeWatcher struct {
	pids []uint32
	die  bool
}

func (w fakeWatcher) wait(ctx context.Context) ([]uint32, error) {
	if w.die {
		return w.pids, nil
	}
	<-ctx.Done()
	return nil, nil
}

func (fakeWatcher) close() {}

// fakeAgent is an agent whose service dies as soon as it is watched, or never.
// watched counts how often it was.
func fakeAgent(t *testing.T, f *fakeManager, die bool, watched *int) *agent {
	f.t = t
	return &agent{
		systemd: f,
		watch: func(pids []uint32) (watcher, error) {
			*watched++
			return fakeWatcher{pids, die}, nil
		},
		journal: func(context.Context, string, string, time.Time) []string { return []string{"last line"} },
		runDir:  t.TempDir(),
		host: host{
			node: func() (cluster.NodeFile, error) {
				return cluster.NodeFile{ServiceUser: "svc", WorkingPath: "/", FQDN: "n.example.org"}, nil
			},
			account: func(_ context.Context, user string) (keeper.Account, error) {
				switch user {
				case "nobody-here":
					return keeper.Account{}, keeper.ErrNoUser
				case "broken":
					return keeper.Account{}, errors.New("getent is broken")
				}
				return keeper.Account{}, nil
			},
			mayExecute: func(keeper.Account, string) error { return nil },
		},
	}
}

// testRequest is a request for service x in the foreground, changed by set.
func testRequest(t *testing.T, set func(*cluster.Service)) request {
	service := cluster.Service{ID: "x", Target: cluster.Any, Command: []string{"/bin/sh"}, Monitor: 10, ForceDaemonize: true}
	if set != nil {
		set(&service)
	}
	params, err := service.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	return request{id: "x", unit: "sirikata-x.service", params: params, timeout: 20 * time.Second}
}
