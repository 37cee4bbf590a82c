package agent

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

func TestSubstitute(t *testing.T) {
	tests := map[string]string{
		"PIDFILE":          "/run/p",
		"--pid=PIDFILE":    "--pid=/run/p",
		"FQDN:80,PIDFILEx": "a.FQDN.org:80,/run/px",
		"pidfile":          "pidfile",
		"":                 "",
		"$FQDN":            "$a.FQDN.org",
	}
	for in, want := range tests {
		// The name holds a word itself: what was put in is not replaced again.
		if got := keeper.Substitute([]string{in}, "/run/p", "a.FQDN.org"); got[0] != want {
			t.Errorf("Substitute(%q) = %q, want %q", in, got[0], want)
		}
	}
}

func TestPlan(t *testing.T) {
	node := cluster.NodeFile{FQDN: "a.example.org", ServiceUser: "svc", WorkingPath: "/home/svc/"}
	tests := []struct {
		name    string
		service cluster.Service
		want    plan
	}{
		{"defaults of the node, forking by pid file",
			cluster.Service{ID: "x", Command: []string{"/b", "PIDFILE"}},
			plan{id: "x", command: []string{"/b", "/run/sirikata/x/x.pid"}, user: "svc", cwd: "/home/svc",
				forking: true, pidFile: "/run/sirikata/x/x.pid", libraries: "/r/lib"}},
		{"forking without a pid file",
			cluster.Service{ID: "x", Command: []string{"/b", "FQDN"}, User: "u", Cwd: "/c"},
			plan{id: "x", command: []string{"/b", "a.example.org"}, user: "u", cwd: "/c",
				forking: true, libraries: "/r/lib"}},
		{"foreground: systemd does not follow the pid file",
			cluster.Service{ID: "x", Command: []string{"/b", "PIDFILE"}, ForceDaemonize: true},
			plan{id: "x", command: []string{"/b", "/run/sirikata/x/x.pid"}, user: "svc", cwd: "/home/svc", libraries: "/r/lib"}},
		{"its own libraries, environment in order",
			cluster.Service{ID: "x", Command: []string{"/b"}, Env: map[string]string{"Z": "1", "LD_LIBRARY_PATH": "", "A": "=="}},
			plan{id: "x", command: []string{"/b"}, user: "svc", cwd: "/home/svc", forking: true,
				env: []string{"A===", "LD_LIBRARY_PATH=", "Z=1"}}},
	}
	for _, test := range tests {
		got := newPlan(test.service, node, "/r/lib")
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(plan{})); diff != "" {
			t.Errorf("%s: plan (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestProperties(t *testing.T) {
	common := map[string]any{
		"Description":        "Sirikata service x",
		"Before":             []string{"pacemaker.service", "pacemaker_remote.service"},
		"StopPropagatedFrom": []string{"corosync.service", "pacemaker_remote.service"},
		"User":               "svc",
		"WorkingDirectory":   "/w",
		"RuntimeDirectory":   []string{"sirikata/x"},
		"Restart":            "no",
		"RemainAfterExit":    true,
		"KillMode":           "control-group",
		"TimeoutStartUSec":   uint64(19_500_000),
		"TimeoutStopUSec":    uint64(6_000_000),
		"LimitNOFILE":        uint64(524288),
		"LimitNOFILESoft":    uint64(65536),
		"SyslogIdentifier":   "x",
		"StandardOutput":     "journal",
		"StandardError":      "journal",
	}
	tests := []struct {
		name string
		plan plan
		own  map[string]any
	}{
		{"forking", plan{command: []string{"/b", "$A ${B} $$"}, forking: true, pidFile: "/run/p", libraries: "/l", env: []string{"K=$V"}},
			map[string]any{"Type": "forking", "PIDFile": "/run/p", "Environment": []string{"LD_LIBRARY_PATH=/l", "K=$V"},
				"ExecStart": []execCommand{{"/b", []string{"/b", "$$A $${B} $$$$"}, false}}}},
		{"foreground", plan{command: []string{"/b$"}},
			map[string]any{"Type": "exec", "Environment": []string(nil),
				"ExecStart": []execCommand{{"/b$", []string{"/b$$"}, false}}}},
	}
	for _, test := range tests {
		test.plan.id, test.plan.user, test.plan.cwd = "x", "svc", "/w"
		got := map[string]any{}
		for _, property := range test.plan.properties(19500 * time.Millisecond) {
			got[property.Name] = property.Value.Value()
		}
		want := map[string]any{}
		for _, part := range []map[string]any{common, test.own} {
			for name, value := range part {
				want[name] = value
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: properties (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestDigestSeesAllButLibraries(t *testing.T) {
	base := plan{command: []string{"/b", "1"}, user: "u", cwd: "/w", env: []string{"A=1"}}
	same := base
	same.libraries = "/elsewhere"
	if base.digest() != same.digest() {
		t.Error("another release's libraries change the digest")
	}
	for _, change := range []func(*plan){
		func(p *plan) { p.command = []string{"/b 1"} },
		func(p *plan) { p.user = "v" },
		func(p *plan) { p.cwd = "/x" },
		func(p *plan) { p.env = nil },
		func(p *plan) { p.forking = true },
		func(p *plan) { p.pidFile = "/p" },
	} {
		other := base
		change(&other)
		if other.digest() == base.digest() {
			t.Errorf("same digest for %+v and %+v", base, other)
		}
	}
}

func TestLibraryPathResolvesCurrent(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keeper.LibraryPath(dir), dir+"/lib"; got != want {
		t.Errorf("without releases: %q, want %q", got, want)
	}
	if err := os.MkdirAll(dir+"/.releases/abc", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".releases/abc", dir+"/current"); err != nil {
		t.Fatal(err)
	}
	if got, want := keeper.LibraryPath(dir), dir+"/.releases/abc/lib"; got != want {
		t.Errorf("with releases: %q, want %q", got, want)
	}
	if got := keeper.LibraryPath(""); got != "" {
		t.Errorf("without a path: %q, want none", got)
	}
}

// TestProgramOfRelease starts what is of a release by the path of that release.
func TestProgramOfRelease(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{".releases/abc/bin", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".releases/abc/bin/space"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"bin": "current/bin", ".releases/abc/bin/world": "space"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if got := keeper.ProgramIn(dir, dir+"/bin/space"); got != "" {
		t.Errorf("without releases: %q", got)
	}
	if err := os.Symlink(".releases/abc", filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		dir + "/bin/space":         dir + "/.releases/abc/bin/space",
		dir + "/current/bin/space": dir + "/.releases/abc/bin/space",
		dir + "//bin/./space":      dir + "/.releases/abc/bin/space",
		dir + "/bin/world":         dir + "/.releases/abc/bin/world", // by the name that it is called by
		dir + "/bin/none":          "",
		dir + "2/bin/space":        "",
		"/bin/sh":                  "",
	} {
		if got := keeper.ProgramIn(dir, command); got != want {
			t.Errorf("%q: %q, want %q", command, got, want)
		}
	}
	p := plan{command: []string{dir + "/bin/space", "$A"}}
	resolved := p
	resolved.program = dir + "/.releases/abc/bin/space"
	if got := resolved.executed(); got[0] != resolved.program || got[1] != "$A" || p.executed()[0] != dir+"/bin/space" {
		t.Errorf("executed %q", got)
	}
	if p.digest() != resolved.digest() {
		t.Error("another release restarts what runs")
	}
}

func TestRequest(t *testing.T) {
	got, err := readRequest([]string{"PATH=/bin", "OCF_RESOURCE_INSTANCE=service-x.1", "OCF_RESKEY_command=[\"/a=b\"]",
		"OCF_RESKEY_CRM_meta_interval=1000", "OCF_RESKEY_CRM_meta_timeout=35000", "OCF_RESKEY_CRM_meta_on_node=n"})
	want := request{id: "x.1", unit: "sirikata-x.1.service", params: map[string]string{"command": `["/a=b"]`},
		interval: time.Second, timeout: 35 * time.Second}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("readRequest = %+v, %v; want %+v", got, err, want)
	}
	for _, instance := range []string{"", "x", "service-", "service-a/b", "service-x:0"} {
		if _, err := readRequest([]string{"OCF_RESOURCE_INSTANCE=" + instance}); err == nil {
			t.Errorf("instance %q is accepted", instance)
		}
	}
}
