package fence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var sprintf = fmt.Sprintf

// mixed is an engine with nodes of two clusters and a power service.
func mixed(t *testing.T) *fakeEngine {
	containers := nodes(true, false)
	containers["power"] = &fakeContainer{Label: ourLabel, Running: true}
	containers["theirs"] = &fakeContainer{Label: "org.sirikata.cluster=other", Index: "7", Running: true}
	return newFakeEngine(t, containers)
}

func TestActions(t *testing.T) {
	for _, test := range []struct {
		action, plug   string
		status         int
		stdout, stderr string
		did            string
	}{
		{"monitor", "", 0, "can reach the engine\n", "", ""},
		{"list", "", 0, "node0,\nnode1,\n", "", ""},
		{"status", "node0", 0, "node0 is on\n", "", ""},
		{"status", "node1", 2, "node1 is off\n", "", ""},
		{"status", "node7", 2, "node7 is off\n", "", ""},
		{"off", "node0", 0, "node0 was killed and is off\n", "", "kill c0"},
		{"off", "node1", 0, "node1 was off already\n", "", ""},
		{"off", "node7", 0, "node7 was off already\n", "", ""},
		{"reboot", "node1", 0, "node1 was off already and stays so\n", "", ""},
		{"on", "node0", 0, "node0 was on already\n", "", ""},
		{"on", "node1", 0, "node1 is switched on\n", "", "start c1"},
		{"on", "node7", 1, "", "on node7: ask the power service at ADDRESS: there is no machine of that name any more\n", ""},
		{"off", "node", 1, "", "off node: ask the power service at ADDRESS: \"node\" is not the name of a node\n", ""},
		{"off", "power", 1, "", "off power: ask the power service at ADDRESS: \"power\" is not the name of a node\n", ""},
		{"off", "host7", 1, "", "off host7: ask the power service at ADDRESS: \"host7\" is not the name of a node\n", ""},
		{"off", "node07", 1, "", "off node07: ask the power service at ADDRESS: \"node07\" is not the name of a node\n", ""},
		{"explode", "node0", 1, "", "\"explode\" is not an action of this agent\n", ""},
		{"off", "", 1, "", "off: which node? Give plug, or nodename\n", ""},
	} {
		t.Run(test.action+" "+test.plug, func(t *testing.T) {
			e := mixed(t)
			l := newLab(t, e)
			status, stdout, stderr := l.ask(t, test.action, test.plug)
			stderr = strings.ReplaceAll(strings.TrimPrefix(stderr, "fence_sirikata: "), l.address, "ADDRESS")
			if did := e.done(); status != test.status || stdout != test.stdout || stderr != test.stderr || did != test.did {
				t.Errorf("%d %q %q, did %q; want %d %q %q, did %q", status, stdout, stderr, did, test.status, test.stdout, test.stderr, test.did)
			}
		})
	}
}

// TestReboot: the answer does not wait for the start, but whoever switches the
// machine off meanwhile does, and finds it off after that.
func TestReboot(t *testing.T) {
	e := mixed(t)
	e.starting, e.asked = make(chan struct{}), make(chan struct{})
	l := newLab(t, e)
	if status, stdout, _ := l.ask(t, "", "node0"); status != 0 || stdout != "node0 was killed and starts again\n" {
		t.Fatalf("%d %q", status, stdout)
	}
	<-e.asked
	off := make(chan string)
	go func() {
		_, stdout, stderr := l.ask(t, "off", "node0")
		off <- stdout + stderr
	}()
	select {
	case said := <-off:
		t.Fatalf("off said %q before the machine had started", said)
	case <-time.After(50 * time.Millisecond):
	}
	close(e.starting)
	if said := <-off; said != "node0 was killed and is off\n" {
		t.Errorf("off said %q", said)
	}
	if did := e.done(); did != "kill c0, start c0, kill c0" {
		t.Errorf("did %q", did)
	}
}

// TestRebootPause: until it starts again a machine can be called off, and it starts
// once, whoever asks for that meanwhile.
func TestRebootPause(t *testing.T) {
	const long = "power_wait=100"
	for _, test := range []struct {
		name, did string
		asks      [][2]string // what is asked after the reboot, and the answer
	}{
		{"again", "kill c0", [][2]string{{"status", "is off"}, {"reboot", "is off and starts again"}}},
		{"off", "kill c0", [][2]string{{"off", "was off already"}, {"reboot", "was off already and stays so"}}},
		{"on", "kill c0, start c0", [][2]string{{"on", "is switched on"}, {"on", "was on already"}}},
		{"on and again", "kill c0, start c0, kill c0", [][2]string{{"on", "is switched on"}, {"reboot", "was killed and starts again"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := mixed(t)
			l := newLab(t, e)
			if _, stdout, stderr := l.ask(t, "reboot", "node0", long); stdout != "node0 was killed and starts again\n" {
				t.Fatalf("%q %q", stdout, stderr)
			}
			for _, ask := range test.asks {
				if _, stdout, stderr := l.ask(t, ask[0], "node0", long); stdout != "node0 "+ask[1]+"\n" {
					t.Errorf("%s: %q %q", ask[0], stdout, stderr)
				}
			}
			if did := e.done(); did != test.did {
				t.Errorf("did %q, want %q", did, test.did)
			}
		})
	}
}

// TestRebootStarts: the machine starts after the pause, by itself.
func TestRebootStarts(t *testing.T) {
	e := mixed(t)
	e.starting, e.asked = make(chan struct{}), make(chan struct{})
	close(e.starting)
	l := newLab(t, e)
	begin := time.Now()
	if status, _, stderr := l.ask(t, "reboot", "node0", "power_wait=1"); status != 0 {
		t.Fatal(stderr)
	}
	<-e.asked
	if took := time.Since(begin); took < time.Second {
		t.Errorf("it started after %v", took)
	}
	for _, bad := range []string{"-1", "181", "soon"} {
		want := "power_wait is \"" + bad + "\", not 0 to 180 seconds"
		if status, _, stderr := l.ask(t, "reboot", "node1", "power_wait="+bad); status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d %q", bad, status, stderr)
		}
	}
}

// TestStartFails: the machine is off, so the fencing is done; the log has the rest.
func TestStartFails(t *testing.T) {
	e := mixed(t)
	e.fault = func(path string) (int, string) {
		if strings.HasSuffix(path, "/start") {
			return 500, `{"message":"network not found"}`
		}
		return 0, ""
	}
	l := newLab(t, e)
	if status, _, stderr := l.ask(t, "reboot", "node0"); status != 0 {
		t.Errorf("reboot: %d %s", status, stderr)
	}
	if status, stdout, _ := l.ask(t, "off", "node0"); status != 0 || stdout != "node0 was off already\n" { // after the start
		t.Errorf("off: %d %q", status, stdout)
	}
	if want := "start node0 after its reboot: the engine says: network not found (status 500)"; !strings.Contains(l.log(), want) {
		t.Errorf("log %q lacks %q", l.log(), want)
	}
}

// TestNotOff: what cannot be shown to be off is not off.
func TestNotOff(t *testing.T) {
	cut := func(what, body string) func(string) (int, string) {
		return func(path string) (int, string) {
			if strings.HasSuffix(path, what) {
				return 200, body
			}
			return 0, ""
		}
	}
	for _, test := range []struct {
		name  string
		alter func(*fakeEngine)
		want  string
	}{
		{"immortal", func(e *fakeEngine) { e.containers["c0"].Immortal = true }, "it is not known to be off: "},
		{"half a list", func(e *fakeEngine) { e.fault = cut("/containers/json", `[{"Id":"c0"`) }, "read the engine's list of containers: "},
		{"no list", func(e *fakeEngine) { e.fault = cut("/containers/json", ``) }, "read the engine's list of containers: "},
		{"no state", func(e *fakeEngine) { e.fault = cut("/c0/json", `{}`) }, "read the state of a container: there is none in"},
		{"half a state", func(e *fakeEngine) { e.fault = cut("/c0/json", `{"State":{"Running":false`) }, "read the state of a container: "},
		{"refused", func(e *fakeEngine) {
			e.fault = func(path string) (int, string) {
				if strings.HasSuffix(path, "/kill") {
					return 500, `{"message":"no"}`
				}
				return 0, ""
			}
		}, "the engine says: no (status 500)"},
		{"refused in prose", func(e *fakeEngine) { e.fault = func(string) (int, string) { return 503, "come back later" } },
			"the engine says: come back later (status 503)"},
		{"gone", func(e *fakeEngine) { e.socket += ".none" }, "connect: no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := mixed(t)
			test.alter(e)
			p := &power{engine: engine{e.socket, ourLabel, indexLabel}, busy: map[int]chan struct{}{}, later: map[int]context.CancelFunc{}}
			for _, a := range []action{off, reboot} {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("too long"))
				result, err := p.do(ctx, request{Action: a, Plug: "node0"})
				cancel()
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: %+v, %v; want %s", a, result, err, test.want)
				}
			}
		})
	}
}

// TestForeignAnswer: an engine that does not filter does not get others killed.
func TestForeignAnswer(t *testing.T) {
	e := mixed(t)
	e.fault = func(path string) (int, string) {
		if path == "/containers/json" {
			return 200, `[{"Id":"theirs","Labels":{"org.sirikata.cluster":"other","org.sirikata.index":"7"}},
				{"Id":"c0","Labels":{"org.sirikata.cluster":"world","org.sirikata.index":"0"}},
				{"Id":"power","Labels":{"org.sirikata.cluster":"world"}}]`
		}
		return 0, ""
	}
	l := newLab(t, e)
	if status, stdout, _ := l.ask(t, "off", "node7"); status != 0 || e.done() != "" {
		t.Errorf("%d %q", status, stdout)
	}
}
