package cluster_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func valid() cluster.Service {
	return cluster.Service{ID: "space", Target: cluster.Any, Command: []string{"/bin/space"}, Monitor: 10}
}

func TestServiceID(t *testing.T) {
	for _, id := range []string{"a", "_", "Space", "a.b-c_9", strings.Repeat("a", 128)} {
		if err := cluster.ValidateServiceID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", "1a", "-a", ".a", "a b", "a:b", "a#b", "a'b", "ä", "a\n", strings.Repeat("a", 129)} {
		if faults := faultsOf(t, cluster.ValidateServiceID(id)); len(faults) != 1 || faults[0].Field != "id" {
			t.Errorf("%q: faults %v, want one of the id", id, faults)
		}
	}
	const want = `invalid service "1a": id: "1a" is not a valid id: ` +
		`start with a letter or _, then letters, digits, _ . or -, 128 at most`
	if err := cluster.ValidateServiceID("1a"); err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestServiceFaults(t *testing.T) {
	for _, test := range []struct {
		name  string
		alter func(*cluster.Service)
		field string // empty when it is valid
		want  string
	}{
		{name: "plain", alter: func(*cluster.Service) {}},
		{name: "everything", alter: func(s *cluster.Service) {
			s.Target, s.User, s.Cwd, s.Require = "node-1.lan", "www-data", "/tmp/ä b", "redis"
			s.Env = map[string]string{"_K9": "", "L": "\n$'\"=ä"}
			s.Command = append(s.Command, "", " ", "ä\n$'\"", "--", "\x7f")
			s.Monitor, s.Failover, s.ForceDaemonize = 3600, true, true
		}},
		{name: "no checks", alter: func(s *cluster.Service) { s.Monitor = 0 }},
		{"no target", func(s *cluster.Service) { s.Target = "" }, "target", `is empty: name a node, or "any"`},
		{"bad target", func(s *cluster.Service) { s.Target = "node 1" }, "target", `"node 1" cannot be a node's name`},
		{"long target", func(s *cluster.Service) { s.Target = "n" + strings.Repeat("1", 128) },
			"target", `"n` + strings.Repeat("1", 128) + `" cannot be a node's name`},
		{"bad user", func(s *cluster.Service) { s.User = "a:b" }, "user", `"a:b" cannot be a user's name`},
		{"option as user", func(s *cluster.Service) { s.User = "-a" }, "user", `"-a" cannot be a user's name`},
		{"bad capability", func(s *cluster.Service) { s.Require = "a,b" },
			"require", `"a,b" cannot be a capability: use letters, digits, _ . and -`},
		{"no command", func(s *cluster.Service) { s.Command = nil }, "command", "is empty: give the program and its arguments"},
		{"relative", func(s *cluster.Service) { s.Command = []string{"bin/space"} },
			"command", `"bin/space" is not an absolute path: services do not search PATH`},
		{"empty program", func(s *cluster.Service) { s.Command = []string{"", "x"} },
			"command", `"" is not an absolute path: services do not search PATH`},
		{"bytes", func(s *cluster.Service) { s.Command = append(s.Command, "ok", "\xff") },
			"command", "argument 2 is not UTF-8"},
		{"half a pair", func(s *cluster.Service) { s.Command = append(s.Command, "\xed\xa0\x80") },
			"command", "argument 1 is not UTF-8"},
		{"NUL", func(s *cluster.Service) { s.Command[0] += "\x00" }, "command", "argument 0 holds a NUL character"},
		{"relative cwd", func(s *cluster.Service) { s.Cwd = "tmp" }, "cwd", `"tmp" is not an absolute path`},
		{"cwd of bytes", func(s *cluster.Service) { s.Cwd = "/\xff" }, "cwd", "is not UTF-8"},
		{"cwd with NUL", func(s *cluster.Service) { s.Cwd = "/\x00" }, "cwd", "holds a NUL character"},
		{"env name", func(s *cluster.Service) { s.Env = map[string]string{"1A": ""} }, "env", `"1A" is not the name of a variable`},
		{"no env name", func(s *cluster.Service) { s.Env = map[string]string{"": ""} }, "env", `"" is not the name of a variable`},
		{"env of bytes", func(s *cluster.Service) { s.Env = map[string]string{"A": "\xff"} }, "env", "A is not UTF-8"},
		{"negative check", func(s *cluster.Service) { s.Monitor = -1 }, "monitor", "-1 is out of range: 0 (off) to 3600 seconds"},
		{"long check", func(s *cluster.Service) { s.Monitor = 3601 }, "monitor", "3601 is out of range: 0 (off) to 3600 seconds"},
	} {
		t.Run(test.name, func(t *testing.T) {
			service := valid()
			test.alter(&service)
			err := service.Validate()
			if test.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			want := []cluster.Fault{{Field: test.field, Problem: test.want}}
			if diff := cmp.Diff(want, faultsOf(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServiceFaultsAllAtOnce(t *testing.T) {
	err := cluster.Service{ID: "ä", User: "a b", Require: "c d", Cwd: "tmp\x00", Monitor: -2,
		Command: []string{"x", "\xff", "\x00"}, Env: map[string]string{"B C": "\xff", "A A": ""}}.Validate()
	var fields []string
	for _, fault := range faultsOf(t, err) {
		fields = append(fields, fault.Field)
	}
	want := []string{"id", "target", "user", "require", "command", "command", "command", "cwd", "cwd", "env", "env", "env", "monitor"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if text := err.Error(); !strings.HasPrefix(text, `invalid service "ä": id: `) ||
		strings.Index(text, `"A A"`) > strings.Index(text, `"B C"`) {
		t.Errorf("variables are not in order: %s", text)
	}
}

func TestEqual(t *testing.T) {
	full := func() cluster.Service {
		return cluster.Service{ID: "a", Target: "any", Command: []string{"/a", "b"}, User: "u", Cwd: "/c",
			Env: map[string]string{"K": "V"}, Monitor: 1, Failover: true, ForceDaemonize: true, Require: "r"}
	}
	if !full().Equal(full()) {
		t.Error("a service differs from itself")
	}
	for name, alter := range map[string]func(*cluster.Service){
		"id":      func(s *cluster.Service) { s.ID = "b" },
		"target":  func(s *cluster.Service) { s.Target = "node1" },
		"command": func(s *cluster.Service) { s.Command[1] = "c" },
		"words":   func(s *cluster.Service) { s.Command = []string{"/a b"} },
		"user":    func(s *cluster.Service) { s.User = "" },
		"cwd":     func(s *cluster.Service) { s.Cwd = "" },
		"env":     func(s *cluster.Service) { s.Env["K"] = "W" },
		"no env":  func(s *cluster.Service) { s.Env = nil },
		"monitor": func(s *cluster.Service) { s.Monitor = 2 },
		"fail":    func(s *cluster.Service) { s.Failover = false },
		"fore":    func(s *cluster.Service) { s.ForceDaemonize = false },
		"require": func(s *cluster.Service) { s.Require = "" },
	} {
		other := full()
		alter(&other)
		if full().Equal(other) || other.Equal(full()) {
			t.Errorf("another %s makes no difference", name)
		}
	}
	one, other := valid(), valid()
	other.Env = map[string]string{}
	if !one.Equal(other) || !other.Equal(one) {
		t.Error("no environment differs from an empty one")
	}
}

func TestNames(t *testing.T) {
	if got := cluster.ResourceName("a.b"); got != "service-a.b" {
		t.Errorf("resource name %q", got)
	}
	if got := cluster.UnitName("a.b"); got != "sirikata-a.b.service" {
		t.Errorf("unit name %q", got)
	}
	for resource, want := range map[string]string{"service-a": "a", "service-service-a": "service-a"} {
		if id, ok := cluster.ServiceIDOf(resource); id != want || !ok {
			t.Errorf("%s: id %q %v, want %q", resource, id, ok, want)
		}
	}
	for _, resource := range []string{"", "a", "Service-a", "fence-service-a"} {
		if _, ok := cluster.ServiceIDOf(resource); ok {
			t.Errorf("%q passes for a service", resource)
		}
	}
}

func TestUsesPIDFile(t *testing.T) {
	for want, command := range map[bool][]string{
		true:  {"/bin/redis", "--pidfile=PIDFILE"},
		false: {"/bin/redis", "pidfile", "PID", "FILE"},
	} {
		if got := (cluster.Service{Command: command}).UsesPIDFile(); got != want {
			t.Errorf("%q: %v, want %v", command, got, want)
		}
	}
}
