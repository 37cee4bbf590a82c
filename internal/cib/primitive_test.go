package cib_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// odd is a service whose arguments survive only without any quoting.
func odd() cluster.Service {
	return cluster.Service{
		ID: "odd", Target: cluster.Any, User: "www-data", Cwd: "/srv/ü x", Require: "redis", Monitor: 7,
		Command: []string{"/bin/sh", "-c", "echo \"$HOME\" 'x'\n", "", " ", "ä😀", "<a href='b'>&amp;]]>", "\x01\t"},
		Env:     map[string]string{"B": "=&\"", "A": "\u2028"}, Failover: true, ForceDaemonize: true,
	}
}

func newPrimitive(t testing.TB, service cluster.Service, candidates ...string) cib.Primitive {
	t.Helper()
	primitive, err := cib.NewPrimitive(service, candidates)
	if err != nil {
		t.Fatal(err)
	}
	return primitive
}

func TestNewPrimitive(t *testing.T) {
	plain := cluster.Service{ID: "plain", Target: "node2", Command: []string{"/bin/a"}, Monitor: 10}
	unchecked := cluster.Service{ID: "unchecked", Target: "any", Command: []string{"/bin/a"}, Failover: true}
	golden(t, "primitive-odd.golden", encode(t, newPrimitive(t, odd(), "node0", "node1", "node2", "node3")))
	golden(t, "primitive-no-failover.golden", encode(t, newPrimitive(t, plain, "node2")))
	golden(t, "primitive-no-monitor.golden", encode(t, newPrimitive(t, unchecked, "node0", "node1")))
}

func TestFirst(t *testing.T) {
	first, err := cib.First()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "first.golden", []byte(first))
}

func TestNewPrimitiveCandidates(t *testing.T) {
	for n, want := range map[int]string{
		0: `service "odd" has 0 candidates, not 1 to 4`,
		6: `service "odd" has 6 candidates, not 1 to 4`,
	} {
		if _, err := cib.NewPrimitive(odd(), make([]string, n)); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for _, want := range [][]string{{"node9"}, {"node4", "node0", "node2", "node1"}} {
		if diff := cmp.Diff(want, newPrimitive(t, odd(), want...).Candidates()); diff != "" {
			t.Error(diff)
		}
	}
	if got := (cib.Primitive{}).Candidates(); len(got) != 0 {
		t.Errorf("nobody's candidates are %v", got)
	}
}

func TestServiceOfForeignPrimitive(t *testing.T) {
	for id, want := range map[string]string{
		"fence":      `resource "fence" is not a service`,
		"service-ip": `read parameter `,
	} {
		if _, err := (cib.Primitive{ID: id}).Service(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestNextGeneration(t *testing.T) {
	primitive := newPrimitive(t, odd(), "node0")
	for _, want := range []string{"1", "2"} {
		next, err := primitive.NextGeneration()
		if err != nil || next.Value != want || next.Name != "generation" || next.ID != "parameters-generation-service-odd" {
			t.Fatalf("generation %+v (%v), want %s", next, err, want)
		}
		for i := range primitive.Instance.Pairs {
			if primitive.Instance.Pairs[i].ID == next.ID {
				primitive.Instance.Pairs[i] = next
			}
		}
	}
	if service, err := primitive.Service(); err != nil || !service.Equal(odd()) {
		t.Errorf("a restart made another service: %+v (%v)", service, err)
	}
	for _, test := range []struct {
		pairs []cib.Attribute
		want  string
	}{
		{nil, `resource "service-a" has no generation`},
		{[]cib.Attribute{{Name: "generation", Value: "x"}},
			`read generation of resource "service-a": strconv.Atoi: parsing "x": invalid syntax`},
	} {
		broken := cib.Primitive{ID: "service-a", Instance: cib.AttributeSet{Pairs: test.pairs}}
		if _, err := broken.NextGeneration(); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}

// TestRecordedResources reads what was created by NewPrimitive and has been
// through Pacemaker.
func TestRecordedResources(t *testing.T) {
	resources := recordedResources(t, "running")
	if diff := cmp.Diff([]string{"run", "pinned"}, resources.IDs()); diff != "" {
		t.Error(diff)
	}
	run, ok := resources.Find("run")
	if !ok {
		t.Fatal("run is not there")
	}
	service, err := run.Service()
	want := cluster.Service{ID: "run", Target: "any", Cwd: "/tmp", Monitor: 10, Failover: true, ForceDaemonize: true,
		Command: []string{"/bin/sh", "-c", "sleep infinity; : $HOME \"x\" 'y' ä\n €😀", "", " "},
		Env:     map[string]string{"GREETING": `hä "llo"`}}
	if diff := cmp.Diff(want, service); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if diff := cmp.Diff(newPrimitive(t, want, run.Candidates()...), run, ignoreNames); diff != "" {
		t.Errorf("Pacemaker altered it: %s", diff)
	}
	if found, ok := resources.Find("ru"); ok {
		t.Errorf("found %+v", found)
	}
	if empty := recordedResources(t, "empty"); len(empty.IDs()) != 0 {
		t.Errorf("%v in an empty cluster", empty.IDs())
	}
}

func TestParseResourcesFaults(t *testing.T) {
	whole := recorded(t, "resources-running")
	for name, text := range map[string][]byte{
		"nothing": nil, "cut off": whole[:len(whole)/2], "another document": recorded(t, "mon-running"),
		"an error": []byte("Call cib_query failed"),
	} {
		if resources, err := cib.ParseResources(text); err == nil {
			t.Errorf("%s is read as %+v", name, resources)
		}
	}
}

func TestParseResourcesLeavesOut(t *testing.T) {
	const ours = `class="ocf" provider="sirikata" type="service"`
	resources, err := cib.ParseResources([]byte(`<resources><primitive id="fence" ` + ours + `/>
		<group id="service-g"><primitive id="service-in-group" ` + ours + `/></group><primitive id="service-a" ` + ours + `/>
		<clone id="c"><primitive id="service-b" ` + ours + `/></clone>
		<primitive id="service-ip" class="ocf" provider="heartbeat" type="IPaddr2"/>
		<primitive id="service-unit" class="systemd" type="service"/></resources>`))
	if diff := cmp.Diff([]string{"a"}, resources.IDs()); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestServicesXPath(t *testing.T) {
	for want, ids := range map[string][]string{
		"//resources/primitive[@id='service-a']":                        {"a"},
		"//resources/primitive[@id='service-a' or @id='service-b.c_d']": {"a", "b.c_d"},
	} {
		if got := cib.ServicesXPath(ids); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestIDsDiffer has services whose ids look like parts of another one: all ids of
// a CIB must differ, or Pacemaker refuses it.
func TestIDsDiffer(t *testing.T) {
	names := []string{"a", "a-start", "a-stop", "a-monitor", "a-command", "a-instance_attributes", "a-meta_attributes",
		"a-instance_attributes-command", "a-meta_attributes-candidate1", "start-service-a", "command-service-a",
		"candidate1", "location-candidate1"}
	first, err := cib.First()
	if err != nil {
		t.Fatal(err)
	}
	text := first
	for _, name := range names {
		service := cluster.Service{ID: name, Target: "any", Monitor: 1, Failover: true, Command: []string{"/a"}}
		text += string(encode(t, newPrimitive(t, service, "node0", "node1")))
	}
	seen := map[string]bool{}
	for _, match := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if seen[match[1]] {
			t.Errorf("the id %s is used twice", match[1])
		}
		seen[match[1]] = true
	}
	if len(seen) < 15*len(names) {
		t.Errorf("only %d ids found", len(seen))
	}
}

// FuzzRoundTrip carries arguments through a primitive, XML and back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a b", "'\"$`\\<>&]]>", "v=w\n\r\t", "/tmp", 10, true)
	f.Add("", "\x00\x1b\ufffe\uffff\u2028", "😀ä", "/", 0, false)
	f.Fuzz(func(t *testing.T, one, two, value, cwd string, monitor int, failover bool) {
		if !utf8.ValidString(one + "|" + two + "|" + value + "|" + cwd) {
			t.Skip("refused by Validate")
		}
		service := cluster.Service{ID: "a", Target: "any", Command: []string{"/bin/a", one, two}, Cwd: cwd,
			Env: map[string]string{"K": value}, Monitor: monitor, Failover: failover, ForceDaemonize: !failover}
		text := encode(t, cib.Resources{Primitives: []cib.Primitive{newPrimitive(t, service, "node1", "node0")}})
		resources, err := cib.ParseResources(text)
		if err != nil {
			t.Fatal(err)
		}
		primitive, ok := resources.Find("a")
		if diff := cmp.Diff([]string{"node1", "node0"}, primitive.Candidates()); !ok || diff != "" {
			t.Fatalf("%v %s", ok, diff)
		}
		back, err := primitive.Service()
		if diff := cmp.Diff(service, back); err != nil || diff != "" {
			t.Errorf("%v\n%s\n%s", err, diff, text)
		}
	})
}

func FuzzParseResources(f *testing.F) {
	seeds(f, "resources")
	f.Fuzz(func(t *testing.T, text []byte) {
		resources, err := cib.ParseResources(text)
		if err != nil {
			if len(resources.Primitives) > 0 {
				t.Errorf("an error comes with %+v", resources)
			}
			return
		}
		for _, primitive := range resources.Primitives {
			_, _ = primitive.Service()
			_, _ = primitive.NextGeneration()
			if n := len(primitive.Candidates()); n > cib.MaxCandidates {
				t.Errorf("%d candidates", n)
			}
		}
	})
}
