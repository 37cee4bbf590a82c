package cluster_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestParseServices(t *testing.T) {
	const text = `[
		{"id": "space", "target": "any", "command": ["/opt/space", "--pid-file=PIDFILE", ""]},
		{"id": "pinto", "target": "node1", "command": ["/opt/pinto"], "user": "bob", "cwd": "/srv", "env": {"A": "b c"},
		 "monitor": 0, "failover": false, "force_daemonize": true, "require": "redis"}
	]`
	want := []cluster.Service{
		{ID: "space", Target: "any", Command: []string{"/opt/space", "--pid-file=PIDFILE", ""}, Monitor: 10, Failover: true},
		{ID: "pinto", Target: "node1", Command: []string{"/opt/pinto"}, User: "bob", Cwd: "/srv",
			Env: map[string]string{"A": "b c"}, ForceDaemonize: true, Require: "redis"},
	}
	services, err := cluster.ParseServices([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, services); diff != "" {
		t.Error(diff)
	}
	// What is listed as JSON can be added again.
	listed, err := json.Marshal(services)
	if err != nil {
		t.Fatal(err)
	}
	again, err := cluster.ParseServices(listed)
	if diff := cmp.Diff(want, again); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestParseServicesFaults(t *testing.T) {
	const good = `{"id": "a", "target": "any", "command": ["/a"]}`
	for text, want := range map[string]string{
		``:                               `invalid services: the text ends in the middle: EOF`,
		`[{"id": "a",`:                   `invalid services: the text ends in the middle: unexpected EOF`,
		"[\n  {\"id\": a}\n]":            `invalid services: line 2, column 10: invalid character 'a' looking for beginning of value`,
		`{"id": "a"}`:                    `invalid services: they are not an array: [{"id": …}, …]`,
		`[` + good + `] x`:               `invalid services: something follows the array`,
		`null`:                           `invalid services: they are not an array: [{"id": …}, …]`,
		"[{\"id\": \"\xff\"}]":           `invalid services: the text is not UTF-8`,
		`[null]`:                         `invalid service 0: it is not an object: {"id": …}`,
		`[{"id": "a", "monitor": null}]`: `invalid service 0, "a": monitor: is null: leave it out`,
		`["a"]`:                          `invalid service 0: it is not an object: {"id": …}`,
		`[` + good + `,` + good + `]`:    `invalid service 1, "a": id: is that of service 0 too`,
		`[{"id": "a", "target": "any", "comand": ["/a"]}]`: `invalid service 0, "a": comand: there is no such field; do you mean "command"?`,
		`[{"id": "a", "size": 3}]`: `invalid service 0, "a": size: there is no such field; the fields are ` +
			`command, cwd, env, failover, force_daemonize, id, monitor, require, target, user`,
		`[{"id": "a", "command": "/a", "monitor": "9", "failover": 1, "env": {"A": 1}, "user": []}]`: `invalid service 0, "a": ` +
			`command: is a string, but must be a list of texts; env: is a number, but must be a text; ` +
			`failover: is a number, but must be true or false; monitor: is a string, but must be a whole number; ` +
			`user: is an array, but must be a text`,
		`[{"id": "1", "target": "any", "command": ["/a"]}, {"id": "b", "target": "any", "command": []}]`: `invalid service "1": id: ` +
			`"1" is not a valid id: start with a letter or _, then letters, digits, _ . or -, 128 at most` + "\n" +
			`invalid service "b": command: is empty: give the program and its arguments`,
	} {
		services, err := cluster.ParseServices([]byte(text))
		if err == nil || err.Error() != want || services != nil {
			t.Errorf("%s\n%v\nerror\n%v\nwant\n%s", text, services, err, want)
		}
	}
}

func FuzzParseServices(f *testing.F) {
	f.Add([]byte(`[{"id": "a", "target": "any", "command": ["/a"], "env": {"A": "\ud800"}}]`))
	f.Add([]byte(`[{}, null, [], {"monitor": 1e9}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		services, err := cluster.ParseServices(text)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" || services != nil {
				t.Errorf("error %q beside %v", err, services)
			}
			return
		}
		for _, service := range services {
			if err := service.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
