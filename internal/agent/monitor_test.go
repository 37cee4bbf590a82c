package agent

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

var (
	up       = unitState{active: "active", sub: "running", invocation: "i1", mainPID: 7}
	noMain   = unitState{active: "active", sub: "running", invocation: "i1"}
	killed   = unitState{active: "failed", sub: "failed", result: "signal", invocation: "i1", main: ending{code: cldKilled, status: 9}}
	exited   = unitState{active: "active", sub: "exited", result: "success", invocation: "i1", main: ending{code: cldExited}}
	stopping = unitState{active: "deactivating", sub: "stop-sigterm", invocation: "i1", main: ending{code: cldExited, status: 3}}
)

func TestMonitor(t *testing.T) {
	const last = "; it last printed: last line"
	tests := []struct {
		name     string
		states   []unitState
		pids     []uint32
		stubborn bool
		probe    bool
		seen     string // the invocation of the monitor before
		die      bool
		want     outcome
		watched  int
		cleared  bool
	}{
		{name: "probe of what runs", states: []unitState{up}, probe: true, seen: "i1"},
		{name: "probe of what is not there", states: []unitState{{}}, probe: true, want: outcome{code: notRunning}},
		{name: "probe of a failed unit changes nothing", states: []unitState{killed}, probe: true, want: outcome{code: notRunning}},
		{name: "probe of a dead service with children", states: []unitState{exited}, pids: []uint32{9}, probe: true,
			want: outcome{errGeneric, "is neither running nor stopped: its unit is active (exited)"}},
		{name: "probe of a unit that stops", states: []unitState{stopping}, probe: true,
			want: outcome{errGeneric, "is neither running nor stopped: its unit is deactivating (stop-sigterm)"}},
		{name: "first after a start answers at once", states: []unitState{up}, seen: "i0", die: true},
		{name: "very first answers at once", states: []unitState{up}, die: true},
		{name: "dead before it came", states: []unitState{killed}, seen: "i1",
			want: outcome{notRunning, "was killed by signal KILL (9)" + last}, cleared: true},
		{name: "stopped by somebody", states: []unitState{{}}, seen: "i1",
			want: outcome{notRunning, "its systemd unit was stopped, but not by the cluster" + last}, cleared: true},
		{name: "killed while held", states: []unitState{up, up, up, up, up, killed}, seen: "i1", die: true,
			want: outcome{notRunning, "was killed by signal KILL (9)" + last}, watched: 1, cleared: true},
		{name: "a clean exit is a death", states: []unitState{up, up, up, exited}, seen: "i1", die: true,
			want: outcome{notRunning, "exited with status 0" + last}, watched: 1, cleared: true},
		{name: "children stay", states: []unitState{up, up, up, stopping}, stubborn: true, seen: "i1", die: true,
			want: outcome{errGeneric, "exited with status 3" + last + "; processes of it remain"}, watched: 1},
		{name: "no main process", states: []unitState{noMain, noMain, noMain, {active: "active", sub: "exited"}}, pids: []uint32{5, 6}, seen: "i1", die: true,
			want: outcome{notRunning, "its last process ended" + last}, watched: 1, cleared: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fake := &fakeManager{states: test.states, pids: test.pids, stubborn: test.stubborn}
			var watched int
			a := fakeAgent(t, fake, test.die, &watched)
			if test.seen != "" {
				if turn, ok := takeTurn(a.runDir, "x", test.seen); ok {
					turn.end()
				}
			}
			req := testRequest(t, nil)
			if !test.probe {
				req.interval = time.Second
			}
			got := monitor(context.Background(), a, req)
			cleared := slices.Contains(fake.calls, "forget sirikata-x.service")
			if got != test.want || watched != test.watched || cleared != test.cleared {
				t.Errorf("got %+v, watched %d times, cleared %v; want %+v, %d, %v",
					got, watched, cleared, test.want, test.watched, test.cleared)
			}
		})
	}
}

// TestMonitorAfterProbe: Pacemaker probes what it lost sight of, and waits for the
// monitor that it begins anew.
func TestMonitorAfterProbe(t *testing.T) {
	var watched int
	a := fakeAgent(t, &fakeManager{states: []unitState{up}}, false, &watched)
	if turn, ok := takeTurn(a.runDir, "x", "i1"); ok {
		turn.end()
	}
	req := testRequest(t, nil)
	for _, interval := range []time.Duration{0, time.Second} {
		req.interval = interval
		if got := monitor(context.Background(), a, req); got != (outcome{}) || watched != 0 {
			t.Errorf("interval %v: %+v, watched %d times", interval, got, watched)
		}
	}
}

func TestMonitorHoldsForItsTime(t *testing.T) {
	var watched int
	a := fakeAgent(t, &fakeManager{states: []unitState{up}}, false, &watched)
	req := testRequest(t, func(s *cluster.Service) { s.Monitor = 1 })
	req.interval = time.Second
	if turn, ok := takeTurn(a.runDir, "x", "i1"); ok {
		turn.end()
	}
	begin := time.Now()
	if got := monitor(context.Background(), a, req); got != (outcome{}) {
		t.Errorf("got %+v, want success", got)
	}
	if took := time.Since(begin); took < time.Second || watched != 1 {
		t.Errorf("held for %v, watched %d times; want 1s, once", took, watched)
	}
}

func TestHoldGoesOnWhileProcessesAreLeft(t *testing.T) {
	var watched int
	fake := &fakeManager{states: []unitState{noMain}, pids: []uint32{5, 6}}
	a := fakeAgent(t, fake, false, &watched)
	a.watch = func(pids []uint32) (watcher, error) {
		watched++
		fake.pids = []uint32{6} // 5 is dead
		return fakeWatcher{[]uint32{5}, watched == 1}, nil
	}
	alive, _, err := a.hold(context.Background(), "u", 50*time.Millisecond)
	if !alive || err != nil || watched < 2 {
		t.Errorf("hold = %v, %v after %d watches; want alive after 2", alive, err, watched)
	}
}

func TestHoldTime(t *testing.T) {
	tests := []struct {
		name     string
		interval time.Duration
		monitor  int
		timeout  time.Duration
		want     time.Duration
	}{
		{"the service's own time", time.Second, 10, 35 * time.Second, 10 * time.Second},
		{"not into the time-out", time.Second, 60, 35 * time.Second, 30 * time.Second},
	}
	for _, test := range tests {
		req := testRequest(t, func(s *cluster.Service) { s.Monitor = test.monitor })
		req.interval, req.timeout = test.interval, test.timeout
		if got := req.holdTime(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	unreadable := testRequest(t, nil)
	unreadable.interval, unreadable.params = time.Second, nil
	if got := unreadable.holdTime(); got != 0 {
		t.Errorf("unreadable definition: %v, want 0", got)
	}
}

func TestTurns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, ok := takeTurn(dir, "x", "a-long-invocation"); ok {
		t.Fatal("the first monitor of an invocation holds")
	}
	if _, ok := takeTurn(dir, "x", "short"); ok {
		t.Fatal("the first monitor of the next invocation holds")
	}
	turn, ok := takeTurn(dir, "x", "short")
	if !ok {
		t.Fatal("the second monitor does not hold")
	}
	if _, ok := takeTurn(dir, "x", "short"); ok {
		t.Error("two monitors hold at a time")
	}
	if other, ok := takeTurn(dir, "y", "short"); ok {
		other.end()
		t.Error("the turn of another service is mixed up")
	}
	turn.end()
	if turn, ok = takeTurn(dir, "x", "short"); !ok {
		t.Fatal("the turn is not given back")
	}
	turn.end()
}
