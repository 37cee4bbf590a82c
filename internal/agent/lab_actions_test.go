//go:build lab

package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestLab runs the agent against systemd itself.
func TestLab(t *testing.T) {
	l := newLab(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, lab)
	}{
		{"daemons", labDaemons}, {"failed starts", labFailedStarts}, {"arguments", labArguments},
		{"deaths", labDeaths}, {"stop", labStop}, {"stop while Pacemaker stops", labOrder},
		{"systemd re-executes itself", labReexec}, {"monitor is fast", labFast},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, l)
			l.nothingLeft(t)
		})
	}
}

func labDaemons(t *testing.T, l lab) {
	for _, s := range []cluster.Service{
		{ID: "redis", Command: []string{"/usr/bin/redis-server", "--daemonize", "yes", "--port", "7001", "--pidfile", "PIDFILE"}},
		{ID: "memcached", Command: []string{"/usr/bin/memcached", "-d", "-p", "7002", "-P", "PIDFILE"}},
		{ID: "no-pid-file", Command: []string{"/usr/bin/memcached", "-d", "-p", "7003"}},
		{ID: "foreground", Command: []string{"/usr/bin/memcached", "-p", "7004"}, ForceDaemonize: true},
	} {
		l.want(t, "monitor", s, outcome{code: notRunning})
		l.want(t, "start", s, outcome{})
		before := l.mainPID(t, s.ID)
		l.sh(t, "systemctl daemon-reload")
		l.want(t, "start", s, outcome{})
		if after := l.mainPID(t, s.ID); after != before {
			t.Errorf("start of running %s: main process %s became %s", s.ID, before, after)
		}
		l.want(t, "monitor", s, outcome{})
		l.want(t, "stop", s, outcome{})
		l.want(t, "stop", s, outcome{})
		l.want(t, "monitor", s, outcome{code: notRunning})
	}
}

func labFailedStarts(t *testing.T, l lab) {
	forking := func(script string) cluster.Service {
		s := shell("f", script)
		s.ForceDaemonize = false
		return s
	}
	const shortly = "timeout=3000"
	tests := []struct {
		service cluster.Service
		want    outcome
	}{
		{shell("f", "echo 1; echo 2; echo 3; printf '4\\033' >&2; exit 3"), outcome{errGeneric, "it last printed: 2 | 3 | 4"}},
		{shell("f", "seq 500; exit 5"), outcome{errGeneric, "it last printed: 498 | 499 | 500"}},
		{shell("f", "sleep 0.1; exit 0"), outcome{errGeneric, "exited with status 0 after 1"}},
		{shell("f", "kill -TERM $$"), outcome{errGeneric, "was killed by signal TERM (15)"}},
		{forking("exit 4"), outcome{errGeneric, "exited with status 4"}},
		{forking("true"), outcome{errGeneric, "its parent process exited and left no process"}},
		{forking("true PIDFILE"), outcome{errGeneric, "its parent process exited, but wrote no pid file and left no process"}},
		{forking("sleep 999; true"), outcome{errGeneric, "did not fork within 2s: it stays in the foreground; add the service with --force-daemonize"}},
		{forking("sleep 999 & true PIDFILE"), outcome{errGeneric, "did not write its pid file /run/sirikata/f/f.pid within 2s"}},
		{forking("sleep 999 & echo 1 > PIDFILE"), outcome{errGeneric, "its pid file /run/sirikata/f/f.pid names process 1, which is not a process of this service"}},
		{forking(`trap "" TERM; sleep 999 & wait`), outcome{errGeneric, "did not fork within 2s"}},
		{cluster.Service{ID: "f", Command: []string{"/root/x"}}, outcome{errGeneric, `binary "/root/x" does not exist`}},
		{cluster.Service{ID: "f", Command: []string{"/bin/sh"}, User: "bob"}, outcome{errGeneric, `user "bob" does not exist`}},
		{cluster.Service{ID: "f", Command: []string{"/bin/sh"}, Cwd: "/root"}, outcome{errPerm, `user "svc" may not enter working directory "/root"`}},
		{cluster.Service{ID: "f", Command: []string{"/root/true"}}, outcome{errPerm, `user "svc" may not execute binary "/root/true"`}},
		{cluster.Service{ID: "f", Command: []string{"/opt/garbage"}, ForceDaemonize: true}, outcome{errGeneric, "systemd could not execute the binary: Exec format error"}},
	}
	l.sh(t, "chmod 700 /root; cp /bin/true /root/; echo garbage > /opt/garbage; chmod 755 /opt/garbage")
	for _, test := range tests {
		l.want(t, "start", test.service, test.want, shortly)
		if strings.HasSuffix(test.want.reason, " does not exist") {
			test.want.code = errInstalled
			l.want(t, "validate-all", test.service, test.want)
		}
		l.want(t, "monitor", test.service, outcome{code: notRunning})
		l.nothingLeft(t)
	}
}

// labArguments starts a program with every kind of argument that some layer
// might take for its own.
func labArguments(t *testing.T, l lab) {
	odd := []string{"a b", "", "$HOME", "${HOME}", "$$", "%n %%", `'"`, `back\slash \n`, "new\nline", "tab\t", "ünï→😀", "*",
		"; rm", "a;b", " blank ", "\x01\x7f", "#c", "=", "!", "`id`", "@", "+", "-x", `\x20`, "FQDN:1", "pre-PIDFILE.x"}
	const show = `open F,'>','/tmp/seen'; print F join("\0",@ARGV,readlink("/proc/self/cwd"),map {$ENV{$_}} qw(A B E LD_LIBRARY_PATH HOME USER)); close F; sleep 999`
	s := cluster.Service{ID: "odd", Command: append([]string{"/usr/bin/perl", "-e", show, "--"}, odd...), ForceDaemonize: true,
		Cwd: "/opt/dïr %n $x 'q", Env: map[string]string{"A": `$HOME %n "q" 'x' \ ü`, "B": "two\nlines", "E": ""}}
	docker(t, "exec", l.container, "mkdir", "-p", s.Cwd)
	l.want(t, "start", s, outcome{})
	want := append(append([]string{}, odd[:len(odd)-2]...), "n.example.org:1", "pre-/run/sirikata/odd/odd.pid.x",
		s.Cwd, s.Env["A"], s.Env["B"], "", "/opt/sirikata/lib", "/home/svc", "svc")
	got := docker(t, "exec", l.container, "cat", "/tmp/seen")
	if diff := cmp.Diff(want, strings.Split(got, "\x00")); diff != "" {
		t.Errorf("arguments and environment (-want +got):\n%s", diff)
	}
	l.want(t, "stop", s, outcome{})
}

const recurring, longTimeout = "interval=1000", "timeout=35000"

// labDeaths ends services while a monitor holds; what the monitor answers it
// must answer at once.
func labDeaths(t *testing.T, l lab) {
	const usr1 = `trap 'echo closing; exit 3' USR1; while :; do read -t 9 <> <(:); done`
	tests := []struct {
		name    string
		service cluster.Service
		kill    string
		want    outcome
	}{
		{"kill", shell("d", "sleep 999; true"), "kill -9 $MAIN", outcome{notRunning, "was killed by signal KILL (9)"}},
		{"exit", shell("d", usr1), "kill -USR1 $MAIN", outcome{notRunning, "exited with status 3"}},
		{"exit, children stay", shell("d", `(trap "" TERM; exec sleep 999) & `+usr1), "kill -USR1 $MAIN", outcome{errGeneric, "; processes of it remain"}},
		{"no main process", cluster.Service{ID: "d", Command: []string{"/bin/sh", "-c", "sleep 998 & sleep 999 &"}, Monitor: 10},
			"pkill -9 -x sleep", outcome{notRunning, "its last process ended"}},
		{"systemctl stop", shell("d", "sleep 999; true"), "systemctl stop sirikata-d", outcome{notRunning, "its systemd unit was stopped, but not by the cluster"}},
		{"daemon-reexec", shell("d", "sleep 999; true"), "systemctl daemon-reexec; kill -9 $MAIN", outcome{notRunning, "was killed by signal KILL (9)"}},
	}
	for _, test := range tests {
		l.want(t, "start", test.service, outcome{})
		l.want(t, "monitor", test.service, outcome{}, recurring, longTimeout) // the first one answers at once
		answer := make(chan outcome, 1)
		go func() { answer <- l.act(t, "monitor", test.service, recurring, longTimeout) }()
		l.awaitHold(t, "d")
		l.want(t, "monitor", test.service, outcome{}, recurring, longTimeout) // another one holds
		l.sh(t, strings.ReplaceAll(test.kill, "$MAIN", l.mainPID(t, "d")))
		begin := time.Now()
		select {
		case got := <-answer:
			if got.code != test.want.code || !strings.Contains(got.reason, test.want.reason) {
				t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("%s: answered %v after the death", test.name, took)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: no answer", test.name)
			<-answer
		}
		l.want(t, "stop", test.service, outcome{})
	}
}

// awaitHold waits until a monitor holds: it is the one that has the lock. It
// looks at the kernel's list (proc_locks(5)): trying the lock would take it
// from the monitor.
func (l lab) awaitHold(t *testing.T, id string) {
	t.Helper()
	script := fmt.Sprintf(`grep "FLOCK.*:$(stat --format=%%i %s/%s.monitored) " /proc/locks || true`, runDir, id)
	waitFor(t, 5*time.Second, "a monitor that holds", func() (bool, string) {
		out := l.sh(t, script)
		return out != "", out
	})
}

func labStop(t *testing.T, l lab) {
	s := shell("s", `trap "" TERM; (setsid sleep 999 &); (trap "" TERM; sleep 999) & while :; do sleep 1; done`)
	l.want(t, "start", s, outcome{})
	begin := time.Now()
	l.want(t, "stop", s, outcome{})
	if took := time.Since(begin); took < stopWait || took > stopWait+2*time.Second {
		t.Errorf("stop of a service that ignores TERM took %v, want %v", took, stopWait)
	}
}

// labOrder puts a unit in Pacemaker's place that stops the service as it is
// itself stopped. With the usual order of stop jobs the two would wait for
// each other.
func labOrder(t *testing.T, l lab) {
	s := shell("o", "sleep 999; true")
	l.sh(t, `systemctl stop pacemaker.service 2>/dev/null
		printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironment=OCF_RESOURCE_INSTANCE=service-o\nExecStart=/bin/true\nExecStop=`+
		labAgent+` stop\nTimeoutStopSec=10\n' > /etc/systemd/system/pacemaker.service
		systemctl daemon-reload; systemctl start pacemaker.service`)
	l.want(t, "start", s, outcome{})
	begin := time.Now()
	l.sh(t, "systemctl stop pacemaker.service")
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("stopping Pacemaker took %v", took)
	}
	if result := l.sh(t, "systemctl show --property=Result --value pacemaker.service"); result != "success" {
		t.Errorf("stopping Pacemaker: %s", result)
	}
}

// labReexec has systemd re-execute itself all the time, as it does once at an
// update: no action may fail for that.
func labReexec(t *testing.T, l lab) {
	docker(t, "exec", "--detach", l.container, "sh", "-c",
		`touch /tmp/reexec /tmp/busy; while test -e /tmp/reexec; do systemctl daemon-reexec; sleep 0.2; done; rm /tmp/busy`)
	defer func() {
		l.sh(t, "rm /tmp/reexec")
		waitFor(t, 10*time.Second, "the last one", func() (bool, string) {
			out := l.sh(t, "test -e /tmp/busy || systemctl is-system-running || true")
			return out == "running" || out == "degraded", out
		})
	}()
	waitFor(t, 5*time.Second, "the first one", func() (bool, string) {
		out := l.sh(t, "test -e /tmp/busy && echo busy || true")
		return out == "busy", out
	})
	s := shell("r", "sleep 999; true")
	for range 12 {
		l.want(t, "start", s, outcome{})
		l.want(t, "monitor", s, outcome{})
		l.want(t, "stop", s, outcome{})
	}
}

// labFast measures inside the container, so that docker's own time is not in it.
func labFast(t *testing.T, l lab) {
	s := shell("m", "sleep 999; true")
	l.want(t, "start", s, outcome{})
	out := l.sh(t, `export OCF_RESOURCE_INSTANCE=service-m; for i in 1 2 3 4 5 6 7 8 9 10 11; do
		a=$(date +%s%N); `+labAgent+` monitor || exit; b=$(date +%s%N); echo $(((b-a)/1000)); done | sort -n | sed -n 6p`)
	var median int
	if _, err := fmt.Sscan(out, &median); err != nil {
		t.Fatal(err)
	}
	t.Logf("median of 11 monitors: %d µs", median)
	if median > 20_000 {
		t.Errorf("a monitor takes %d µs, want 20 ms at most", median)
	}
	l.want(t, "stop", s, outcome{})
}
