package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// TestCheck has each thing that keeps a service from starting on a node, and
// what Pacemaker is to make of it.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	denied := func(keeper.Account, string) error { return unix.EACCES }
	tests := []struct {
		name   string
		set    func(*cluster.Service)
		node   *cluster.NodeFile
		access func(keeper.Account, string) error
		want   outcome
	}{
		{name: "fine", want: outcome{}},
		{name: "no user", set: func(s *cluster.Service) { s.User = "nobody-here" },
			want: outcome{errInstalled, `user "nobody-here" does not exist`}},
		{name: "user unknown yet", set: func(s *cluster.Service) { s.User = "broken" },
			want: outcome{errGeneric, `look up user "broken": getent is broken`}},
		{name: "no binary", set: func(s *cluster.Service) { s.Command = []string{dir + "/none"} },
			want: outcome{errInstalled, `binary "` + dir + `/none" does not exist`}},
		{name: "binary below a file", set: func(s *cluster.Service) { s.Command = []string{plain + "/x"} },
			want: outcome{errInstalled, `binary "` + plain + `/x": stat ` + plain + `/x: not a directory`}},
		{name: "binary is a directory", set: func(s *cluster.Service) { s.Command = []string{dir} },
			want: outcome{errArgs, `binary "` + dir + `" is not a regular file`}},
		{name: "not executable", set: func(s *cluster.Service) { s.Command = []string{plain} },
			want: outcome{errPerm, `binary "` + plain + `" is not executable`}},
		{name: "not executable by the user", access: denied,
			want: outcome{errPerm, `user "svc" may not execute binary "/bin/sh": permission denied`}},
		{name: "no directory", set: func(s *cluster.Service) { s.Cwd = dir + "/none" },
			want: outcome{errInstalled, `working directory "` + dir + `/none" does not exist`}},
		{name: "directory is a file", set: func(s *cluster.Service) { s.Cwd = plain },
			want: outcome{errArgs, `working directory "` + plain + `" is not a directory`}},
		{name: "directory closed to the user", access: func(_ keeper.Account, path string) error {
			if path == "/" {
				return unix.EACCES
			}
			return nil
		}, want: outcome{errPerm, `user "svc" may not enter working directory "/": permission denied`}},
		{name: "relative binary", set: func(s *cluster.Service) { s.Command = []string{"sh"} },
			want: outcome{errConfigured, `invalid service "x": command: "sh" is not an absolute path: services do not search PATH`}},
		{name: "no FQDN", set: func(s *cluster.Service) { s.Command = []string{"/bin/sh", "FQDN"} }, node: &cluster.NodeFile{ServiceUser: "svc", WorkingPath: "/"},
			want: outcome{errArgs, "the command names FQDN, and this node has none in /etc/sirikata-cluster/node.json"}},
		{name: "no user at all", node: &cluster.NodeFile{WorkingPath: "/"},
			want: outcome{errArgs, "the service names no user, and this node has no default in /etc/sirikata-cluster/node.json"}},
	}
	for _, test := range tests {
		var watched int
		a := fakeAgent(t, &fakeManager{states: []unitState{{}}}, false, &watched)
		if test.node != nil {
			a.host.node = func() (cluster.NodeFile, error) { return *test.node, nil }
		}
		if test.access != nil {
			a.host.mayExecute = test.access
		}
		if got := validateAll(context.Background(), a, testRequest(t, test.set)); got != test.want {
			t.Errorf("%s:\n got %+v\nwant %+v", test.name, got, test.want)
		}
	}
}

func TestNodeFile(t *testing.T) {
	var watched int
	a := fakeAgent(t, &fakeManager{states: []unitState{{}}}, false, &watched)
	path := filepath.Join(t.TempDir(), "node.json")
	a.host.node = func() (cluster.NodeFile, error) { return readNodeFile(path) }
	if got := start(context.Background(), a, testRequest(t, nil)); got.code != errInstalled {
		t.Errorf("missing: %+v, want code %d", got, errInstalled)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := start(context.Background(), a, testRequest(t, nil)); got.code != errArgs {
		t.Errorf("unreadable: %+v, want code %d", got, errArgs)
	}
}

func TestStart(t *testing.T) {
	const unit, last = "sirikata-x.service", "; it last printed: last line"
	forking := func(s *cluster.Service) { s.ForceDaemonize = false }
	parentFailed := unitState{active: "failed", sub: "failed", result: "exit-code", control: ending{code: cldExited, status: 4}}
	tests := []struct {
		name     string
		set      func(*cluster.Service)
		states   []unitState
		startErr error
		stubborn bool
		die      bool
		want     outcome
		calls    []string
	}{
		{name: "starts", states: []unitState{{}, up}, calls: []string{"start " + unit}},
		{name: "a reload altered the arguments", states: []unitState{{}, {active: "active", sub: "running", command: []string{"/bin/sh", "\\;"}}, up},
			calls: []string{"start " + unit, "stop " + unit, "stop " + unit, "forget " + unit, "start " + unit}},
		{name: "another definition runs", states: []unitState{up},
			calls: []string{"stop " + unit, "forget " + unit, "start " + unit}},
		{name: "what failed is cleared first", states: []unitState{killed, up},
			calls: []string{"stop " + unit, "forget " + unit, "start " + unit}},
		{name: "dies while watched", states: []unitState{{}, up, up, up, killed}, die: true,
			want:  outcome{errGeneric, "was killed by signal KILL (9)" + last},
			calls: []string{"start " + unit, "stop " + unit, "stop " + unit, "forget " + unit}},
		{name: "the parent fails", set: forking, states: []unitState{{}, parentFailed},
			want:  outcome{errGeneric, "exited with status 4" + last},
			calls: []string{"start " + unit, "stop " + unit, "stop " + unit, "forget " + unit}},
		{name: "does not fork", set: forking, states: []unitState{{}, {active: "activating", sub: "start", controlPID: 8}},
			startErr: context.DeadlineExceeded, stubborn: true,
			want:  outcome{errGeneric, "did not fork within 19s: it stays in the foreground; add the service with --force-daemonize" + last},
			calls: []string{"start " + unit, "stop " + unit, "kill " + unit, "stop " + unit, "forget " + unit}},
		{name: "does not fork, and systemd ended it", set: forking,
			states:   []unitState{{}, {active: "failed", result: "timeout", control: ending{code: cldKilled, status: 15}}},
			startErr: context.DeadlineExceeded,
			want:     outcome{errGeneric, "did not fork within 19s: it stays in the foreground; add the service with --force-daemonize" + last},
			calls:    []string{"start " + unit, "stop " + unit, "stop " + unit, "forget " + unit}},
		{name: "runs at the last moment", states: []unitState{{}, up}, startErr: context.DeadlineExceeded,
			calls: []string{"start " + unit}},
		{name: "systemd refuses", states: []unitState{{}}, startErr: errors.New("no"),
			want:  outcome{errGeneric, "start unit sirikata-x.service: no"},
			calls: []string{"start " + unit, "stop " + unit, "stop " + unit, "forget " + unit}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fake := &fakeManager{states: test.states, pids: []uint32{up.mainPID}, startErr: test.startErr, stubborn: test.stubborn}
			var watched int
			got := start(context.Background(), fakeAgent(t, fake, test.die, &watched), testRequest(t, test.set))
			if got != test.want || !reflect.DeepEqual(fake.calls, test.calls) {
				t.Errorf("got %+v by %q\nwant %+v by %q", got, fake.calls, test.want, test.calls)
			}
		})
	}
}

func TestStartOfWhatRunsIsSuccess(t *testing.T) {
	var watched int
	fake := &fakeManager{states: []unitState{{}, up}, pids: []uint32{up.mainPID}}
	a := fakeAgent(t, fake, false, &watched)
	for range 2 {
		if got := start(context.Background(), a, testRequest(t, nil)); got != (outcome{}) {
			t.Fatalf("got %+v, want success", got)
		}
	}
	if len(fake.calls) != 1 {
		t.Errorf("calls %q, want one start", fake.calls)
	}
}

func TestStuckReason(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file("secret", "12"), link); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		plan plan
		want string
	}{
		{plan{}, "did not start within 19s"},
		{plan{forking: true}, "was not started by systemd within 19s"},
		{plan{forking: true, pidFile: dir + "/none"}, "did not write its pid file DIR/none within 19s"},
		{plan{forking: true, pidFile: file("words", "no pid\n")}, "its pid file DIR/words does not hold a process id"},
		{plan{forking: true, pidFile: file("other", " 12\n")}, "its pid file DIR/other names process 12, which is not a process of this service"},
		{plan{forking: true, pidFile: link}, "error: read pid file: open DIR/link: too many levels of symbolic links"},
	}
	for _, test := range tests {
		got, err := stuckReason(test.plan, unitState{active: "activating"}, 19*time.Second)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got = strings.ReplaceAll(got, dir, "DIR"); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestStop(t *testing.T) {
	tests := []struct {
		name   string
		states []unitState
		pids   []uint32
		want   outcome
	}{
		{"not there", []unitState{{}}, nil, outcome{}},
		{"a process in an endless system call", []unitState{killed}, []uint32{5}, outcome{errGeneric, "processes [5] do not end, not even by signal KILL"}},
		{"started again by somebody", []unitState{up}, nil, outcome{errGeneric, "its unit is active (running) after it was stopped"}},
	}
	for _, test := range tests {
		var watched int
		fake := &fakeManager{states: test.states, pids: test.pids}
		// Without a definition: one that cannot be read must not keep a service
		// from being stopped.
		req := request{id: "x", unit: "sirikata-x.service", timeout: time.Second}
		if got := stop(context.Background(), fakeAgent(t, fake, false, &watched), req); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}
