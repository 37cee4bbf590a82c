package cluster

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHosts(t *testing.T) {
	for _, test := range []struct {
		words        []string
		taken        []Host
		want         []Host
		capabilities map[string][]string
	}{
		{
			words: []string{"host1.example.com", "host2.example.com", `{ "dns_name" : "host3.example.com", "username" : "bob", ` +
				`"sirikata_path" : "/path/to/sirikata", "default_working_path" : "/home/user", ` +
				`"workspace_path" : "/path/to/non/tmp/work/dir", "capabilities" : "redis" }`},
			want: []Host{
				{Index: 0, Name: "host1", DNSName: "host1.example.com"},
				{Index: 1, Name: "host2", DNSName: "host2.example.com"},
				{Index: 2, Name: "host3", DNSName: "host3.example.com", Username: "bob", SirikataPath: "/path/to/sirikata",
					WorkingPath: "/home/user", WorkspacePath: "/path/to/non/tmp/work/dir"},
			},
			capabilities: map[string][]string{"host3": {"redis"}},
		},
		{
			words: []string{"a", "bob@B.lan:2222", "10.0.0.1", "[2001:db8::1]:22", "fe80::2", "me@corp@c_d", "localhost"},
			want: []Host{
				{Index: 0, Name: "a", DNSName: "a"},
				{Index: 1, Name: "b", DNSName: "B.lan", Username: "bob", Port: 2222},
				{Index: 2, Name: "10-0-0-1", DNSName: "10.0.0.1"},
				{Index: 3, Name: "2001-db8-1", DNSName: "2001:db8::1", Port: 22},
				{Index: 4, Name: "fe80-2", DNSName: "fe80::2"},
				{Index: 5, Name: "c-d", DNSName: "c_d", Username: "me@corp"},
				{Index: 6, Name: "localhost", DNSName: "localhost", Transport: OnMachine},
			},
			capabilities: map[string][]string{},
		},
		{ // names that clash, or would be taken for an index
			words: []string{"web.a.lan", "web.b.lan", "h:1", "h:2", "7.lan", `{"dns_name":"x","name":"web"}`, "any.lan"},
			taken: []Host{{Index: 3, Name: "h", DNSName: "h.lan"}},
			want: []Host{
				{Index: 0, Name: "web-a-lan", DNSName: "web.a.lan"},
				{Index: 1, Name: "web-b-lan", DNSName: "web.b.lan"},
				{Index: 2, Name: "h-1", DNSName: "h", Port: 1},
				{Index: 3, Name: "h-2", DNSName: "h", Port: 2},
				{Index: 4, Name: "7-lan", DNSName: "7.lan"},
				{Index: 5, Name: "web", DNSName: "x"},
				{Index: 6, Name: "any-lan", DNSName: "any.lan"},
			},
			capabilities: map[string][]string{},
		},
		{
			words: []string{`{"transport":"local","capabilities":["a","b"],"cluster_address":"10.1.1.1"}`,
				`{"dns_name":"h","port":22,"identity_file":"~/.ssh/k","capabilities":"a, b,,a","transport":"ssh"}`},
			want: []Host{
				{Index: 0, Name: "localhost", DNSName: "localhost", Transport: OnMachine, ClusterAddress: "10.1.1.1"},
				{Index: 1, Name: "h", DNSName: "h", Port: 22, IdentityFile: "~/.ssh/k", Transport: OverSSH},
			},
			capabilities: map[string][]string{"localhost": {"a", "b"}, "h": {"a", "b"}},
		},
	} {
		got, capabilities, err := ParseHosts(test.words, 0, test.taken)
		if err != nil {
			t.Errorf("%q: %v", test.words, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.words, diff)
		}
		if diff := cmp.Diff(test.capabilities, capabilities); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.words, diff)
		}
	}
}

func TestParseHostsFaults(t *testing.T) {
	for word, want := range map[string]string{
		"":                     `node 1: is empty: give a host name, or a JSON object`,
		" ":                    `node 1 ( ): is empty: give a host name, or a JSON object`,
		"@h":                   `node 1 (@h): has no user before the @`,
		"-oProxyCommand=x":     `node 1 (-oProxyCommand=x): dns_name: "-oProxyCommand=x" cannot be a host: use letters, digits, _ . and -, or an IP address`,
		"h:0":                  `node 1 (h:0): "0" is not a port: use 1 to 65535`,
		"h:x":                  `node 1 (h:x): "x" is not a port: use 1 to 65535`,
		"h:70000":              `node 1 (h:70000): port: 70000 is out of range: use 1 to 65535`,
		"h:":                   `node 1 (h:): "" is not a port: use 1 to 65535`,
		"a b@h":                `node 1 (a b@h): username: "a b" cannot be a user's name`,
		"5":                    `node 1: no name for a node can be made of 5: give one, as {"dns_name": "5", "name": …}`,
		"taken":                `node 1: taken is node 0 already`,
		`{"dns_name":"h"`:      `node 1: column 16: the JSON ends in the middle`,
		`{"dns_name" "h"}`:     `node 1: column 13: invalid character '"' after object key`,
		"{\n\"dns_name\": h}":  `node 1: line 2, column 13: invalid character 'h' looking for beginning of value`,
		`{"dns_name":"h"} x`:   `node 1: column 17: something follows the object`,
		`{"dnsname":"h"}`:      `node 1: dnsname: there is no such key; do you mean "dns_name"?`,
		`{"working_path":"/"}`: `node 1: working_path: there is no such key; do you mean "default_working_path"?`,
		`{"dns_name":"h","zzzzzz":1}`: `node 1: zzzzzz: there is no such key; the keys are capabilities, cluster_address, default_working_path, ` +
			`dns_name, fence, identity_file, name, port, sirikata_path, transport, username, workspace_path`,
		`{"dns_name":""}`:                                      `node 1: dns_name: is missing`,
		`{"dns_name":"h","port":"22"}`:                         `node 1: port: is a string, but must be a whole number`,
		`{"dns_name":"h","transport":7}`:                       `node 1: transport: is a number, but must be a text`,
		`{"dns_name":"h","transport":"telnet"}`:                `node 1: transport: "telnet" is not a transport: use ssh or local`,
		`{"transport":"local","port":22}`:                      `node 1: transport: "local" goes without SSH`,
		`{"dns_name":"h","username":null}`:                     `node 1: username: is null: leave it out`,
		`{"dns_name":"h","capabilities":5}`:                    `node 1: capabilities: must be a text`,
		`{"dns_name":"h","capabilities":"a b"}`:                `node 1: capabilities: "a b": use letters`,
		`{"dns_name":"h","name":"taken"}`:                      `node 1: the name "taken" is that of node 0 too`,
		`{"dns_name":"h","name":"A"}`:                          `node 1: name: "A" is not a DNS label`,
		`{"dns_name":"h","name":"12"}`:                         `node 1: name: "12" would be taken for an index`,
		`{"dns_name":"h","name":"any"}`:                        `node 1: name: "any" means any node`,
		`{"dns_name":"h","sirikata_path":"a","port":-1}`:       `node 1: port: -1 is out of range: use 1 to 65535; node 1: sirikata_path: "a" is not an absolute path`,
		`{"dns_name":"h","identity_file":"k"}`:                 `node 1: identity_file: "k" is not an absolute path`,
		`{"dns_name":"h","cluster_address":"h"}`:               `node 1: cluster_address: "h" is not an IP address`,
		`{"dns_name":"h","workspace_path":"/a` + "\xff" + `"}`: `workspace_path`,
	} {
		_, _, err := ParseHosts([]string{word}, 1, []Host{{Name: "taken", DNSName: "taken"}})
		var invalid *InvalidError
		if strings.Contains(word, "\xff") {
			continue // encoding/json replaces what is not UTF-8
		}
		if !errors.As(err, &invalid) || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "invalid nodes: "), want) {
			t.Errorf("%s\n got: %v\nwant: invalid nodes: %s", word, err, want)
		}
	}
	// All at once.
	_, _, err := ParseHosts([]string{"", "h:x", "ok", "{"}, 0, nil)
	want := `invalid nodes: node 0: is empty: give a host name, or a JSON object; node 1 (h:x): "x" is not a port: use 1 to 65535; ` +
		`node 3: column 2: the JSON ends in the middle`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, _, err = ParseHosts([]string{"h", "h", "H"}, 0, nil)
	if want := "invalid nodes: node 1: h is node 0 already; node 2: H is node 1 already"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func adhocSpec() Spec {
	return Spec{Name: "lab", Type: AdHoc, Engine: Direct, Size: 2, LoginUser: "ewencp",
		SirikataPath: "/home/ewencp/sirikata", WorkingPath: "/home/ewencp", WorkspacePath: "/disk/scratch",
		Hosts: []Host{{Index: 0, Name: "a", DNSName: "a.lan"}, {Index: 1, Name: "b", DNSName: "b.lan", Username: "bob", WorkingPath: "/w"}}}
}

func TestAdHocSpec(t *testing.T) {
	if err := adhocSpec().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Spec){
		"hosts: there are none: name one at least":                                               func(s *Spec) { s.Hosts, s.Size = nil, 1 },
		`engine: "x" is not an engine: use direct or pacemaker`:                                  func(s *Spec) { s.Engine, s.TokenProfile = "x", LAN },
		`user: "" cannot be a user's name`:                                                       func(s *Spec) { s.LoginUser = "" },
		"sirikata path: is empty":                                                                func(s *Spec) { s.SirikataPath = "" },
		`scratch path: "x" is not an absolute path`:                                              func(s *Spec) { s.WorkspacePath = "x" },
		"work path: is not UTF-8":                                                                func(s *Spec) { s.WorkingPath = "/\xff" },
		"node 1 (a): name: another node has it, too":                                             func(s *Spec) { s.Hosts[1].Name = "a" },
		"node 0 (b): index: is not above that of the node before it":                             func(s *Spec) { s.Hosts[1].Index = 0 },
		`capability: there is no node "c"`:                                                       func(s *Spec) { s.Capabilities = map[string][]string{"c": {"redis"}} },
		"size: 3 nodes, but 2 hosts":                                                             func(s *Spec) { s.Size = 3 },
		`node 1 (b): index: it should be 2, of the nodes not removed`:                            func(s *Spec) { s.Removed = []int{1} },
		`token-profile: "" is not a token profile: use lan, cloud, or 200 to 60000 milliseconds`: func(s *Spec) { s.Engine = Pacemaker },
	} {
		spec := adhocSpec()
		change(&spec)
		err := spec.Validate()
		if err == nil || err.Error() != `invalid cluster "lab": `+want {
			t.Errorf("got  %v\nwant invalid cluster \"lab\": %s", err, want)
		}
	}
}

func TestPathsAndUser(t *testing.T) {
	spec := adhocSpec()
	if got, want := spec.Paths("b"), (Paths{"/home/ewencp/sirikata", "/w", "/disk/scratch"}); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if got, want := spec.Paths("a"), (Paths{"/home/ewencp/sirikata", "/home/ewencp", "/disk/scratch"}); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if a, b := spec.User("a"), spec.User("b"); a != "ewencp" || b != "bob" {
		t.Errorf("users %q and %q", a, b)
	}
	spec.Removed = []int{4}
	if next := spec.NextIndex(); next != 5 {
		t.Errorf("next index %d, not 5", next)
	}
}

func FuzzParseHosts(f *testing.F) {
	for _, seed := range []string{"a@b:1", "[::1]:2", `{"dns_name":"h","capabilities":["a"]}`, "localhost", "{"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		hosts, capabilities, err := ParseHosts([]string{word, "other"}, 0, nil)
		if err != nil {
			return
		}
		spec := adhocSpec()
		spec.Hosts, spec.Capabilities = hosts, capabilities
		if err := spec.Validate(); err != nil {
			t.Errorf("%q is parsed, and then not valid: %v", word, err)
		}
	})
}
