package cluster

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostFence(t *testing.T) {
	hosts, _, err := ParseHosts([]string{`{"dns_name":"a","fence":{"agent":"fence_ipmilan","ip":"10.0.0.9","password":"p w"}}`}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	agent, parameters := hosts[0].Fence.Split()
	if diff := cmp.Diff(map[string]string{"ip": "10.0.0.9", "password": "p w"}, parameters); agent != "fence_ipmilan" || diff != "" {
		t.Errorf("%s: %s", agent, diff)
	}
	if agent, parameters := (HostFence(nil)).Split(); agent != "" || len(parameters) > 0 {
		t.Errorf("%s %v of nothing", agent, parameters)
	}
	for fence, want := range map[string]string{
		`{"ip":"x"}`:          `fence: agent: "" cannot be a fence agent`,
		`{"agent":"/bin/sh"}`: `fence: agent: "/bin/sh" cannot be a fence agent`,
		`{"agent":"fence_x","pcmk_host_list":"b"}`: "fence: pcmk_host_list: is no parameter of an agent's own",
		`{"agent":"fence_x","a b":"c"}`:            "fence: a b: is no parameter",
		`{"agent":"fence_x","port":1}`:             "fence:",
		`{"agent":"fence_x","password":"\u0000"}`:  "fence: password: ",
	} {
		_, _, err := ParseHosts([]string{`{"dns_name":"a","fence":` + fence + `}`}, 0, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", fence, err, want)
		}
	}
}

// TestFenceFaults: all hosts are fenced, or none.
func TestFenceFaults(t *testing.T) {
	fenced := HostFence{"agent": "fence_x"}
	for _, test := range []struct {
		engine Engine
		hosts  []Host
		want   string
	}{
		{Pacemaker, []Host{{Name: "a"}, {Name: "b"}}, ""},
		{Pacemaker, []Host{{Name: "a", Fence: fenced}, {Name: "b", Fence: fenced}}, ""},
		{Pacemaker, []Host{{Name: "a", Fence: fenced}, {Name: "b"}, {Name: "c"}}, "b, c: nothing would switch it off"},
		{Direct, []Host{{Name: "a", Fence: fenced}}, "has no meaning with the engine direct"},
	} {
		faults := Spec{Engine: test.engine, Hosts: test.hosts}.fenceFaults()
		if test.want == "" && len(faults) == 0 {
			continue
		}
		if len(faults) != 1 || test.want == "" || !strings.HasPrefix(faults[0].Problem, test.want) {
			t.Errorf("%+v: %+v", test.hosts, faults)
		}
	}
}

// TestMasked shows the agent and the names, not the values; JSON for the store has
// all.
func TestMasked(t *testing.T) {
	fence := HostFence{"agent": "fence_x", "ip": "s3cret.1", "password": "s3cret.2"}
	spec := Spec{Name: "world", Hosts: []Host{{Name: "a", Fence: fence}, {Name: "b"}}}
	masked, err := json.Marshal(spec.Masked())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(masked), fmt.Sprint(fence), fmt.Sprintf("%+v", spec), fmt.Sprintf("%#v", spec), fmt.Sprintf("%s %v", fence, &spec.Hosts[0])} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "fence_x") || !strings.Contains(text, "password") {
			t.Errorf("it says %s", text)
		}
	}
	stored, err := json.Marshal(spec)
	if err != nil || !strings.Contains(string(stored), "s3cret.1") || !strings.Contains(string(stored), "s3cret.2") {
		t.Errorf("stored is %s (%v)", stored, err)
	}
	if spec.Hosts[1].Fence.Masked() != nil {
		t.Error("no fence became one")
	}
}

// TestPiecesOfJSON are what the shell makes of JSON without quotes: they are not
// repeated.
func TestPiecesOfJSON(t *testing.T) {
	for _, word := range []string{`s3cret"}}`, `[{"dns_name":"a","fence":{"password":"s3cret"}}]`, `"s3cret`} {
		_, _, err := ParseHosts([]string{"good", word}, 0, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "invalid nodes: node 1: is no host name, and no JSON object") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", word, err)
		}
	}
}
