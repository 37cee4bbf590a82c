package keeper

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// daemonize is a daemon by the book: it forks twice, in a session of its own, and
// writes its pid into the file that it is given.
const daemonize = `setsid sh -c '(sleep 1000 & echo $! >"$0"; wait) & exit 0' "$1"; while [ ! -s "$1" ]; do sleep 0.01; done`

func TestEnvironment(t *testing.T) {
	b := newBench(t)
	service := foreground(`env >env; pwd; exec sleep 1000`)
	service.Env = map[string]string{"OWN": "a b=c", "HOME": "/mine"}
	service.Command = append(service.Command, "FQDN", "x-PIDFILE")
	service.Command[2] = `env >env; pwd; echo "$0 $1"; exec sleep 1000`
	b.runs(service)
	content, err := os.ReadFile(filepath.Join(b.root, "env"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(content)), "\n")
	got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "PWD=") || strings.HasPrefix(s, "_=") })
	slices.Sort(got)
	want := []string{"HOME=/mine", "LD_LIBRARY_PATH=" + b.root + "/sirikata/lib", "OWN=a b=c", "PATH=" + os.Getenv("PATH"), "SIRIKATA_RUN=" + b.run("s").ID, "SIRIKATA_SERVICE=s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if text := tail(b.dir().file("s", logFile), 9); text != b.root+"\nn0.example.org x-"+b.dir().pidFile("s") {
		t.Errorf("it printed %q", text)
	}
}

func TestDaemon(t *testing.T) {
	b := newBench(t)
	b.runs(forking(daemonize))
	state := b.state()
	if state.State != cluster.Running || state.Run == "" || state.Reason != "" || state.Failures != 0 {
		t.Errorf("state %+v", state)
	}
	main := b.run("s").Main
	if pid, err := ReadPIDFile(b.dir().pidFile("s")); err != nil || pid != main.PID {
		t.Errorf("pid file: %d, %v; main %v", pid, err, main)
	}
	if result := b.ask(protocol.Remove, "s").Results[0]; result.Failure != "" {
		t.Fatal(result)
	}
	if main.alive() {
		t.Error("it lives on")
	}
	if ids, err := b.dir().ids(); err != nil || len(ids) > 0 {
		t.Errorf("left: %v, %v", ids, err)
	}
}

func TestDeath(t *testing.T) {
	for name, test := range map[string]struct {
		script, want string
		kill         syscall.Signal
	}{
		"exit":   {"sleep 0.3; echo bye; exit 7", `^exited with status 7 after \d+ms; it last printed: bye$`, 0},
		"status": {"sleep 0.3", `^exited with status 0 after \d+ms$`, 0},
		"killed": {"exec sleep 1000", `^was killed by signal KILL \(9\) after \d`, syscall.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.runs(foreground(test.script))
			if test.kill != 0 {
				b.kill(b.run("s").Main, test.kill)
			}
			b.eventually("its death", func() bool { return b.state().State == cluster.Failed })
			state := b.state()
			if !regexp.MustCompile(test.want).MatchString(state.Reason) || state.Failures != 1 || state.Run != "" {
				t.Errorf("state %+v, want %s", state, test.want)
			}
			r := b.run("s")
			b.eventually("its keeper's end", func() bool { return !r.Keeper.alive() })
			if result := b.ask(protocol.Restart, "s").Results[0]; result.Failure != "" || b.state().State != cluster.Running {
				t.Errorf("restart %+v", result)
			}
		})
	}
}

func TestFailedStarts(t *testing.T) {
	notProgram := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(notProgram, []byte("\x7fELF, not"), 0o755); err != nil {
		t.Fatal(err)
	}
	command := func(words ...string) cluster.Service {
		return cluster.Service{ID: "s", ForceDaemonize: true, Command: words}
	}
	cwd := foreground("sleep 1000")
	cwd.Cwd = "/no/such"
	for name, test := range map[string]struct {
		service cluster.Service
		want    protocol.Result
	}{
		"dies":       {foreground("echo one; echo two >&2; exit 3"), protocol.Result{Failure: "exited with status 3", Output: "one\ntwo"}},
		"no binary":  {command("/no/such"), protocol.Result{Failure: `binary "/no/such" does not exist`}},
		"no program": {command(notProgram), protocol.Result{Failure: "could not be executed: exec format error"}},
		"no cwd":     {cwd, protocol.Result{Failure: `working directory "/no/such" does not exist`}},
		"fork fails": {forking("echo no; exit 4"), protocol.Result{Failure: "exited with status 4", Output: "no"}},
		"no pid":     {forking("exit 0"), protocol.Result{Failure: "its parent process exited, but wrote no pid file and left no process"}},
		"stranger":   {forking(`echo $PPID >"$1"; sleep 1000 & exit 0`), protocol.Result{Failure: "names process"}},
		"late pid":   {forking(`sleep 1000 & exit 0`), protocol.Result{Failure: "did not write its pid file"}},
		"bad pid":    {forking(`echo none >"$1"; sleep 1000 & exit 0`), protocol.Result{Failure: "did not write a process id to its pid file"}},
		"foreground": {forking("exec sleep 1000"), protocol.Result{Failure: "did not fork within 1s: it stays in the foreground; add the service with --force-daemonize"}},
		"dies late":  {forking(`(sleep 0.1; echo late; exit 1) & echo $! >"$1"`), protocol.Result{Failure: "exited with status 1", Output: "late"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.request.StartMS = 1000
			got := b.add(test.service)
			failure := regexp.MustCompile(` after [0-9.]+m?s`).ReplaceAllString(got.Failure, "")
			if got.ID != "s" || !strings.Contains(failure, test.want.Failure) || got.Output != test.want.Output || got.Taken {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if ids, err := b.dir().ids(); err != nil || len(ids) > 0 {
				t.Errorf("left: %v, %v", ids, err)
			}
		})
	}
}

// TestStopAll has processes that leave their parents, their session and their
// group, and one that does not end on TERM.
func TestStopAll(t *testing.T) {
	for _, keeperKilled := range []bool{false, true} {
		b := newBench(t)
		b.runs(foreground(`setsid sh -c 'echo $$ >a; exec sleep 1000' & (setsid sh -c '(trap "" TERM; echo $$ >b; sleep 1000; sleep 1000) & wait' &) ; sleep 1000 & echo $! >c; exec sleep 1000`))
		all := []Identity{b.pid("a"), b.pid("b"), b.pid("c"), b.run("s").Main}
		if keeperKilled {
			keeper := b.run("s").Keeper
			b.kill(keeper, syscall.SIGKILL)
			b.eventually("the end of the keeper", func() bool { return !keeper.alive() })
			if state := b.state(); state.State != cluster.Running {
				t.Errorf("state %+v", state)
			}
		}
		begin := time.Now()
		if result := b.ask(protocol.Remove, "s").Results[0]; result.Failure != "" {
			t.Fatal(result)
		}
		for i, each := range all {
			if each.alive() {
				t.Errorf("process %d lives on", i)
			}
		}
		if took := time.Since(begin); took < stopWait || took > stopWait+2*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

func TestStopTakesNoTime(t *testing.T) {
	b := newBench(t)
	b.runs(foreground("exec sleep 1000"))
	begin := time.Now()
	b.ask(protocol.Remove, "s")
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestKeeperAndServiceKilled is what a system does that ends all processes of a
// user who logs out.
func TestKeeperAndServiceKilled(t *testing.T) {
	b := newBench(t)
	b.runs(foreground("exec sleep 1000"))
	r := b.run("s")
	b.kill(r.Keeper, syscall.SIGKILL)
	b.kill(r.Main, syscall.SIGKILL)
	b.eventually("their ends", func() bool { return !r.Keeper.alive() && !r.Main.alive() })
	if state := b.state(); state.State != cluster.Failed || state.Reason != "it ended, and how is not known: its keeper was killed before it" {
		t.Errorf("state %+v", state)
	}
}

// TestRecycledPID has another process under the ids of a run, which must live.
func TestRecycledPID(t *testing.T) {
	b := newBench(t)
	b.runs(foreground("exec sleep 1000"))
	r := b.run("s")
	other := newBench(t)
	other.runs(foreground("exec sleep 1000"))
	stranger := other.run("s")
	b.kill(r.Keeper, syscall.SIGKILL)
	b.kill(r.Main, syscall.SIGKILL)
	b.eventually("their ends", func() bool { return !r.Keeper.alive() && !r.Main.alive() })
	r.Keeper.PID, r.Main.PID = stranger.Keeper.PID, stranger.Main.PID
	if err := b.dir().writeRun("s", r); err != nil {
		t.Fatal(err)
	}
	if state := b.state(); state.State != cluster.Failed {
		t.Errorf("state %+v", state)
	}
	// The same numbers and start times, but of the time before a restart.
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.Keeper, r.Main, r.Boot = stranger.Keeper, stranger.Main, "before"
			if err := b.dir().writeRun("s", r); err != nil {
				t.Fatal(err)
			}
		}
		if err := (&node{dir: b.dir(), boot: stranger.Boot}).stop("s"); err != nil {
			t.Fatal(err)
		}
		if state := other.state(); state.State != cluster.Running || state.Run != stranger.ID {
			t.Fatalf("it was taken for another: %+v", state)
		}
	}
}

func TestHostRestarted(t *testing.T) {
	b := newBench(t)
	b.runs(foreground("exec sleep 1000"))
	r := b.run("s")
	was := r
	r.Boot = "before"
	if err := b.dir().writeRun("s", r); err != nil {
		t.Fatal(err)
	}
	if state := b.state(); state.State != cluster.Stopped || state.Reason != "the host was restarted: restart service starts it again" || state.Run != "" || state.Failures != 0 {
		t.Errorf("state %+v", state)
	}
	r.Host = "elsewhere"
	if err := b.dir().writeRun("s", r); err != nil {
		t.Fatal(err)
	}
	if state := b.state(); !strings.HasPrefix(state.Reason, `it ran on a host that called itself "elsewhere", and this one is "`) {
		t.Errorf("state %+v", state)
	}
	b.kill(was.Keeper, syscall.SIGTERM)
	b.eventually("its end", func() bool { return !was.Keeper.alive() })
	if result := b.ask(protocol.Restart, "s").Results[0]; result.Failure != "" || b.state().State != cluster.Running {
		t.Errorf("%+v, %+v", result, b.state())
	}
}

func TestClaims(t *testing.T) {
	b := newBench(t)
	request := b.request
	request.Action, request.Services = protocol.Claim, []cluster.Service{foreground("exec sleep 1000")}
	b.send(request)
	if state := b.state(); state.Claim != "test" || state.State != cluster.Stopped || state.Reason == "" || state.AgeMS < 0 {
		t.Errorf("state %+v", state)
	}
	if again := b.send(request).Results[0]; !again.Taken {
		t.Errorf("claimed twice: %+v", again)
	}
	other := *b
	other.request.Claim = "other"
	if result := other.ask(protocol.Withdraw, "s").Results[0]; !result.Taken {
		t.Errorf("withdrawn by another: %+v", result)
	}
	if result := other.ask(protocol.Start, "s").Results[0]; result.Failure != "it was removed by another command" {
		t.Errorf("started by another: %+v", result)
	}
	if result := b.ask(protocol.Withdraw, "s").Results[0]; result.Taken || result.Failure != "" {
		t.Errorf("withdraw: %+v", result)
	}
	b.runs(foreground("exec sleep 1000"))
	if result := b.ask(protocol.Withdraw, "s").Results[0]; !result.Taken || b.state().State != cluster.Running {
		t.Errorf("withdrawn after its start: %+v", result)
	}
}

// TestOthersRecords looks at a directory that nodes share, and at records that
// cannot be read.
func TestOthersRecords(t *testing.T) {
	b := newBench(t)
	b.runs(foreground("exec sleep 1000"))
	other := *b
	other.request.Node.Name = "n1"
	if answer := other.ask(protocol.Look); len(answer.Services) != 0 || answer.Error != "" {
		t.Errorf("answer %+v", answer)
	}
	for id, content := range map[string]string{"broken": "{", "newer": `{"format": 2}`, "stranger": `{"format":1,"node":"n1","service":{"id":"stranger"}}`} {
		if err := os.MkdirAll(b.dir().service(id), dirMode); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.dir().file(id, recordFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answer := b.ask(protocol.Look)
	want := []string{
		"read " + b.dir().file("broken", recordFile) + ": unexpected end of JSON input",
		`the record of service "newer" was written by a newer sirikata-cluster`,
	}
	if diff := cmp.Diff(want, answer.Warnings); diff != "" || len(answer.Services) != 1 {
		t.Errorf("services %v, warnings (-want +got):\n%s", answer.Services, diff)
	}
}

func TestSuccessor(t *testing.T) {
	b := newBench(t)
	b.runs(forking(`(while [ ! -e go ]; do sleep 0.02; done; (exec sleep 1000) & echo $! >"$0".new; mv "$0".new "$1") & echo $! >"$1"; `))
	first := b.run("s").Main
	if err := os.WriteFile(filepath.Join(b.root, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.eventually("another process", func() bool { return b.run("s").Main != first })
	if state := b.state(); state.State != cluster.Running {
		t.Errorf("state %+v", state)
	}
}

func TestWithoutPIDFile(t *testing.T) {
	b := newBench(t)
	service := forking("sleep 1000 & sleep 1000 & exit 0")
	service.Command = service.Command[:3]
	b.runs(service)
	for range 2 {
		main := b.run("s").Main
		b.kill(main, syscall.SIGTERM)
		b.eventually("its end to be noticed", func() bool { r := b.run("s"); return r.Main != main || r.Ended })
	}
	if state := b.state(); state.State != cluster.Failed || !strings.HasPrefix(state.Reason, "was killed by signal TERM (15)") {
		t.Errorf("state %+v", state)
	}
}

// TestUnderWay stops a service whose start is not over.
func TestUnderWay(t *testing.T) {
	b := newBench(t)
	b.request.StartMS = 30000
	ended := make(chan protocol.Result, 1)
	go func() { ended <- b.add(forking("exec sleep 1000")) }()
	b.eventually("its start", func() bool {
		r, ok, err := b.dir().run("s")
		return ok && err == nil && r.Keeper != me() // which is the command that adds it
	})
	if state := b.state(); state.State != cluster.Starting {
		t.Errorf("state %+v", state)
	}
	b.kill(b.run("s").Keeper, syscall.SIGTERM)
	if result := <-ended; result.Failure != "was stopped while it started" {
		t.Errorf("%+v", result)
	}
}
