package cluster_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestParameters(t *testing.T) {
	service := cluster.Service{
		ID: "space", Target: "node1", Command: []string{"/bin/sh", "-c", "echo \"$X\"\n", "", "ä😀\u2028<&>\x7f"},
		User: "www-data", Cwd: "/tmp/ü", Env: map[string]string{"B": "2", "A": "é"},
		Monitor: 7, Failover: true, Require: "redis",
	}
	got, err := service.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"command": `["/bin/sh","-c","echo \"$X\"\n","","\u00e4\ud83d\ude00\u2028\u003c\u0026\u003e\u007f"]`,
		"user":    "www-data", "cwd": `"/tmp/\u00fc"`, "env": `{"A":"\u00e9","B":"2"}`, "monitor": "7",
		"force_daemonize": "false", "failover": "true", "target": "node1", "require": "redis",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	back, err := cluster.ParseParameters("space", got)
	if diff := cmp.Diff(service, back); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// TestParametersAlwaysSame checks that one definition fully replaces another.
func TestParametersAlwaysSame(t *testing.T) {
	got, err := cluster.Service{ID: "a"}.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"command": "null", "user": "", "cwd": `""`, "env": "{}", "monitor": "0",
		"force_daemonize": "false", "failover": "false", "target": "", "require": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseParametersFaults(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"command", "-", "read parameter command of service \"a\": unexpected end of JSON input"},
		{"command", `["/a"`, "read parameter command of service \"a\": unexpected end of JSON input"},
		{"command", `"/a"`, "read parameter command of service \"a\": json: cannot unmarshal string into Go value of type []string"},
		{"command", `["/a",1]`, "read parameter command of service \"a\": json: cannot unmarshal number into Go value of type string"},
		{"env", "-", "read parameter env of service \"a\": unexpected end of JSON input"},
		{"cwd", "-", "read parameter cwd of service \"a\": unexpected end of JSON input"},
		{"cwd", "/tmp", "read parameter cwd of service \"a\": invalid character '/' looking for beginning of value"},
		{"monitor", "-", "read parameter monitor of service \"a\": strconv.Atoi: parsing \"\": invalid syntax"},
		{"monitor", "10s", "read parameter monitor of service \"a\": strconv.Atoi: parsing \"10s\": invalid syntax"},
		{"failover", "-", "read parameter failover of service \"a\": strconv.ParseBool: parsing \"\": invalid syntax"},
		{"failover", "yes", "read parameter failover of service \"a\": strconv.ParseBool: parsing \"yes\": invalid syntax"},
		{"force_daemonize", "-", "read parameter force_daemonize of service \"a\": strconv.ParseBool: parsing \"\": invalid syntax"},
	} {
		t.Run(test.name+" "+test.value, func(t *testing.T) {
			params, err := valid().Parameters()
			if err != nil {
				t.Fatal(err)
			}
			params[test.name] = test.value
			if test.value == "-" {
				delete(params, test.name)
			}
			service, err := cluster.ParseParameters("a", params)
			if err == nil || err.Error() != test.want {
				t.Errorf("error\n%v\nwant\n%s", err, test.want)
			}
			if diff := cmp.Diff(cluster.Service{}, service); diff != "" {
				t.Errorf("it comes with a service: %s", diff)
			}
		})
	}
}

func TestParseParametersIgnoresOthers(t *testing.T) {
	params, err := valid().Parameters()
	if err != nil {
		t.Fatal(err)
	}
	params["generation"], params["CRM_meta_timeout"] = "7", "20000"
	service, err := cluster.ParseParameters("space", params)
	if err != nil || !service.Equal(valid()) {
		t.Errorf("%v %+v", err, service)
	}
}

func FuzzParameters(f *testing.F) {
	f.Add("a b", "'\"$`\\", "K", "v=w\n", "/tmp", 10, true, false)
	f.Add("", "\u2028\u2029\ufffd\x7f", "ä", "😀", "/\r", -1, false, true)
	f.Add("\x00\x1b[31m", "<![CDATA[&amp;]]>", "", "", "", 1<<40, true, true)
	f.Fuzz(func(t *testing.T, one, two, key, value, cwd string, monitor int, failover, foreground bool) {
		for _, text := range []string{one, two, key, value, cwd} {
			if !utf8.ValidString(text) {
				t.Skip("refused by Validate")
			}
		}
		service := cluster.Service{ID: "a", Target: "any", Command: []string{"/bin/a", one, two}, Cwd: cwd,
			Env: map[string]string{key: value}, Monitor: monitor, Failover: failover, ForceDaemonize: foreground}
		params, err := service.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range params {
			if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Errorf("%s is not printable ASCII at %d: %q", name, i, text)
			}
		}
		back, err := cluster.ParseParameters("a", params)
		if diff := cmp.Diff(service, back); err != nil || diff != "" || !back.Equal(service) {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func FuzzParseParameters(f *testing.F) {
	f.Add(`["/a"]`, `{"A":"b"}`, `"/c"`, "1", "true", "false")
	f.Add("null", "null", "null", "", "", "")
	f.Fuzz(func(t *testing.T, command, env, cwd, monitor, failover, foreground string) {
		service, err := cluster.ParseParameters("a", map[string]string{"command": command, "env": env, "cwd": cwd,
			"monitor": monitor, "failover": failover, "force_daemonize": foreground})
		if err != nil {
			return
		}
		params, err := service.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		again, err := cluster.ParseParameters("a", params)
		if err != nil || !again.Equal(service) {
			t.Errorf("%+v became %+v (%v)", service, again, err)
		}
	})
}
