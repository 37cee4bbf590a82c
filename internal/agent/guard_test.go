package agent

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeNode is a node as the guard sees it. What is killed runs no more.
type fakeNode struct {
	loaded  []listedUnit
	members map[string][]uint32 // the processes of a unit
	there   map[uint32]process
	fails   int // so many lists of units fail first
	killed  []string
	mainPID uint32 // of every unit

	watched chan []uint32 // gets what is watched
	deaths  chan func() []uint32
}

var _ guardedSystemd = (*fakeNode)(nil)

func (f *fakeNode) units(context.Context, ...string) ([]listedUnit, error) {
	if f.fails--; f.fails >= 0 {
		return nil, errors.New("systemd is busy")
	}
	return slices.Clone(f.loaded), nil
}

func (f *fakeNode) state(_ context.Context, unit string) (unitState, error) {
	for _, u := range f.loaded {
		if u.name == unit {
			return unitState{active: u.state.active, sub: u.state.sub, mainPID: f.mainPID}, nil
		}
	}
	return unitState{}, nil
}

func (f *fakeNode) processes(_ context.Context, unit string) ([]uint32, error) {
	return f.members[unit], nil
}

func (f *fakeNode) kill(_ context.Context, unit string) error {
	f.killed = append(f.killed, unit)
	for i := range f.loaded {
		if f.loaded[i].name == unit {
			f.loaded[i].state = unitState{active: "failed", sub: "failed"}
		}
	}
	return nil
}

func (f *fakeNode) close() {}

func (f *fakeNode) inspect(pid uint32) (process, error) {
	p, ok := f.there[pid]
	if !ok {
		return p, errors.New("no such process")
	}
	return p, nil
}

func (f *fakeNode) watch(pids []uint32) (watcher, error) {
	f.watched <- pids
	return told{f.deaths}, nil
}

// told is a watcher that is told who is dead, by a function that changes the node
// while nobody looks at it.
type told struct{ deaths <-chan func() []uint32 }

func (w told) wait(ctx context.Context) ([]uint32, error) {
	select {
	case death := <-w.deaths:
		return death(), nil
	case <-ctx.Done():
		return nil, nil
	}
}

func (told) close() {}

func listed(name, active, job string) listedUnit {
	return listedUnit{name: name, state: unitState{active: active, sub: "running"}, job: job}
}

func fullNode() *fakeNode {
	return &fakeNode{
		loaded: []listedUnit{
			listed("sirikata-a.service", "active", ""),
			listed("corosync.service", "active", ""),
			listed("pacemaker.service", "active", ""),
			listed("sirikata-b.service", "activating", "start"),
			{name: "sirikata-exited.service", state: unitState{active: "active", sub: "exited"}},
		},
		members: map[string][]uint32{"corosync.service": {10}, "pacemaker.service": {20, 21, 22, 23, 24}},
		there: map[uint32]process{
			10: {"corosync", 1}, 20: {"pacemakerd", 1}, 21: {"pacemaker-based", 20},
			22: {"pacemaker-contr", 20}, 23: {"pacemaker-based", 21}, 24: {"service", 25},
		},
		watched: make(chan []uint32, 10),
		deaths:  make(chan func() []uint32),
	}
}

func fakeGuard(f *fakeNode, log *bytes.Buffer) *guard {
	return &guard{systemd: f, watch: f.watch, inspect: f.inspect, log: log}
}

func TestFindDaemons(t *testing.T) {
	tests := []struct {
		name     string
		members  map[string][]uint32
		there    map[uint32]process
		want     []uint32
		complete bool
	}{
		{"nothing yet", nil, nil, nil, false},
		{"full node, with forks and agents", fullNode().members, fullNode().there, []uint32{10, 21, 22}, true},
		{"no controller yet", map[string][]uint32{"corosync.service": {10}, "pacemaker.service": {20, 21}}, fullNode().there, []uint32{10, 21}, false},
		{"children found again after the death of their parent", map[string][]uint32{"corosync.service": {10}, "pacemaker.service": {21, 22}},
			map[uint32]process{10: {"corosync", 1}, 21: {"pacemaker-based", 1}, 22: {"pacemaker-contr", 1}}, []uint32{10, 21, 22}, true},
		{"remote node, starting an agent", map[string][]uint32{"pacemaker_remote.service": {30, 31}},
			map[uint32]process{30: {"pacemaker-remot", 1}, 31: {"pacemaker-remot", 30}}, []uint32{30}, true},
		{"a name in the wrong unit", map[string][]uint32{"corosync.service": {21}, "pacemaker.service": {10}}, fullNode().there, nil, false},
		{"ended while it was looked at", map[string][]uint32{"corosync.service": {99}}, nil, nil, false},
	}
	for _, test := range tests {
		f := &fakeNode{members: test.members, there: test.there}
		found, err := findDaemons(context.Background(), f, f.inspect)
		var got []uint32
		for _, d := range found {
			got = append(got, d.pid)
		}
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil || complete(found) != test.complete {
			t.Errorf("%s: error %v, complete %v, processes (-want +got):\n%s", test.name, err, complete(found), diff)
		}
	}
}

func TestGuardReacts(t *testing.T) {
	controller := daemon{"pacemaker.service", "pacemaker-contr", 22}
	const died = "pacemaker-contr (process 22 of pacemaker.service) died: "
	tests := []struct {
		name   string
		change func(f *fakeNode)
		want   []string // units that are killed
		says   string
	}{
		{"died", func(*fakeNode) {},
			[]string{"sirikata-a.service", "sirikata-b.service", "sirikata-exited.service"},
			died + "killed sirikata-a.service, sirikata-b.service, all within "},
		{"systemd answers late", func(f *fakeNode) { f.fails = 2 },
			[]string{"sirikata-a.service", "sirikata-b.service", "sirikata-exited.service"},
			"systemd is busy\n" + died + "killed sirikata-a.service, sirikata-b.service, all within "},
		{"no service", func(f *fakeNode) { f.loaded = f.loaded[1:3] }, nil, died + "no service ran\n"},
		{"its unit has failed", func(f *fakeNode) { f.loaded = []listedUnit{listed("pacemaker.service", "failed", ""), f.loaded[0]} },
			[]string{"sirikata-a.service"}, died + "killed sirikata-a.service, "},
		{"its unit waits to be started again", func(f *fakeNode) {
			f.loaded[2] = listedUnit{"pacemaker.service", unitState{active: "activating", sub: "auto-restart"}, "restart"}
		},
			[]string{"sirikata-a.service", "sirikata-b.service", "sirikata-exited.service"}, died + "killed "},
		{"main process dead, systemd has seen it", func(f *fakeNode) { f.loaded[2] = listed("pacemaker.service", "deactivating", "") },
			[]string{"sirikata-a.service", "sirikata-b.service", "sirikata-exited.service"}, died + "killed "},
		{"being stopped", func(f *fakeNode) { f.loaded[2] = listed("pacemaker.service", "deactivating", "stop") },
			nil, died + "it was stopped, nothing is killed\n"},
		{"being restarted", func(f *fakeNode) { f.loaded[2] = listed("pacemaker.service", "deactivating", "restart") },
			nil, died + "it was stopped, nothing is killed\n"},
		{"restarted, already starting", func(f *fakeNode) { f.loaded[2] = listed("pacemaker.service", "activating", "start") },
			nil, died + "it was stopped, nothing is killed\n"},
		{"has been stopped", func(f *fakeNode) { f.loaded[2] = listed("pacemaker.service", "inactive", "") },
			nil, died + "it was stopped, nothing is killed\n"},
		{"has been stopped and forgotten", func(f *fakeNode) { f.loaded = f.loaded[:2] },
			nil, died + "it was stopped, nothing is killed\n"},
	}
	for _, test := range tests {
		f := fullNode()
		test.change(f)
		var log bytes.Buffer
		fakeGuard(f, &log).react(context.Background(), []daemon{controller})
		if diff := cmp.Diff(test.want, f.killed); diff != "" || !strings.HasPrefix(log.String(), test.says) {
			t.Errorf("%s: it says %q, want %q…; killed (-want +got):\n%s", test.name, log.String(), test.says, diff)
		}
	}
}

// TestGuardSeesRestarts is about restarts that are over when the guard asks.
func TestGuardSeesRestarts(t *testing.T) {
	remote := daemon{"pacemaker_remote.service", "pacemaker-remot", 30}
	controller, cib := daemon{"pacemaker.service", "pacemaker-contr", 22}, daemon{"pacemaker.service", "pacemaker-based", 21}
	for _, test := range []struct {
		name    string
		mainPID uint32
		first   []daemon // died before, in a restart
		dead    daemon
		want    int // killed
	}{
		{"main process, systemd does not know yet", 30, nil, remote, 3},
		{"main process, there is another one", 31, nil, remote, 0},
		{"child of the main process", 20, nil, cib, 3},
		{"child, after another child that was stopped", 20, []daemon{controller}, cib, 0},
	} {
		f := fullNode()
		f.mainPID = test.mainPID
		f.loaded = append(f.loaded, listed("pacemaker_remote.service", "active", ""))
		var log bytes.Buffer
		g := fakeGuard(f, &log)
		g.daemons = []daemon{controller, cib, remote}
		if test.first != nil {
			f.loaded[2].job = "restart"
			g.react(context.Background(), test.first)
			f.loaded[2].job = ""
		}
		g.react(context.Background(), []daemon{test.dead})
		if len(f.killed) != test.want {
			t.Errorf("%s: killed %v, want %d: %s", test.name, f.killed, test.want, log.String())
		}
	}
}

// TestGuardKillsWhatIsStillStarted is about a start that was under way when the
// controller died.
func TestGuardKillsWhatIsStillStarted(t *testing.T) {
	f := fullNode()
	f.loaded = f.loaded[:3]
	late := &lateStart{fakeNode: f}
	var log bytes.Buffer
	g := fakeGuard(f, &log)
	g.systemd = late
	g.react(context.Background(), []daemon{{"corosync.service", "corosync", 10}})
	if want := []string{"sirikata-a.service", "sirikata-late.service"}; !slices.Equal(f.killed, want) {
		t.Errorf("killed %v, want %v", f.killed, want)
	}
}

// lateStart has one more service from the third list on.
type lateStart struct {
	*fakeNode
	lists int
}

func (l *lateStart) units(ctx context.Context, patterns ...string) ([]listedUnit, error) {
	if l.lists++; l.lists == 3 {
		l.loaded = append(l.loaded, listed("sirikata-late.service", "activating", "start"))
	}
	return l.fakeNode.units(ctx, patterns...)
}

// TestGuardGoesOn lets a daemon die, be replaced, and die again.
func TestGuardGoesOn(t *testing.T) {
	f := fullNode()
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fakeGuard(f, &log).run(ctx)
	}()
	expect := func(want ...uint32) {
		t.Helper()
		select {
		case got := <-f.watched:
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("it watches %v, want %v", got, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("it does not begin to watch %v", want)
		}
	}
	expect(10, 21, 22)
	f.deaths <- func() []uint32 {
		f.members = map[string][]uint32{"corosync.service": {10}, "pacemaker.service": {20, 21, 26}}
		f.there[26] = process{"pacemaker-contr", 20}
		return []uint32{22}
	}
	expect(10, 21, 26)
	f.deaths <- func() []uint32 { return []uint32{26} }
	expect(10, 21, 26) // it is still in systemd's list
	cancel()
	<-ended
	if want := []string{"sirikata-a.service", "sirikata-b.service"}; !slices.Equal(f.killed[:2], want) {
		t.Errorf("killed %v, want %v first", f.killed, want)
	}
	for _, says := range []string{"watching pacemaker-contr (process 26", "(process 22 of pacemaker.service) died", "(process 26 of pacemaker.service) died: no service ran"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("it does not say %q: %s", says, log.String())
		}
	}
}

// TestGuardSeesReusedProcessID is about a daemon that died between the list and
// the watch, whose process id went to another process.
func TestGuardSeesReusedProcessID(t *testing.T) {
	f := fullNode()
	var log bytes.Buffer
	g := fakeGuard(f, &log)
	g.watch = func(pids []uint32) (watcher, error) {
		f.there[22] = process{"bash", 1}
		return f.watch(pids)
	}
	dead, err := g.look(context.Background())
	if want := []daemon{{"pacemaker.service", "pacemaker-contr", 22}}; err != nil || !slices.Equal(dead, want) {
		t.Errorf("dead: %v, %v; want %v", dead, err, want)
	}
}

// TestGuardKeepsWatching is about a list that lacks a daemon that lives.
func TestGuardKeepsWatching(t *testing.T) {
	f := fullNode()
	var log bytes.Buffer
	g := fakeGuard(f, &log)
	for _, members := range []map[string][]uint32{f.members, nil} {
		f.members = members
		if dead, err := g.look(context.Background()); err != nil || len(dead) > 0 || len(g.daemons) != 3 || g.watcher == nil {
			t.Errorf("dead: %v, %v; watched: %v", dead, err, g.daemons)
		}
	}
}

func TestParseStat(t *testing.T) {
	for text, want := range map[string]process{
		"12 (pacemaker-based) S 7 12 12 0 -1 4194560": {"pacemaker-based", 7},
		"12 (a) (b c) R 8 1":                          {"a) (b c", 8},
	} {
		if got, err := parseStat(text); got != want || err != nil {
			t.Errorf("parseStat(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "12 ", "12 )(", "12 (a)", "12 (a) S", "12 (a) S x"} {
		if got, err := parseStat(text); err == nil {
			t.Errorf("parseStat(%q) = %+v, want an error", text, got)
		}
	}
}
