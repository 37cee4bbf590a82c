package cib_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func TestParseLeftovers(t *testing.T) {
	bad := func(id string) []cib.Leftover {
		return []cib.Leftover{{NodeID: id, Name: "last-failure-service-bad#start_0"}, {NodeID: id, Name: "fail-count-service-bad#start_0"}}
	}
	stay := []cib.Leftover{{NodeID: "2", Name: "last-failure-service-stay#monitor_1000"},
		{NodeID: "2", Name: "fail-count-service-stay#monitor_1000"}}
	once := []cib.Leftover{{NodeID: "1", Name: "last-failure-service-once#monitor_1000"},
		{NodeID: "1", Name: "fail-count-service-once#monitor_1000"}}
	for _, test := range []struct {
		file string
		ids  []string
		want []cib.Leftover
	}{
		{"empty", []string{"bad"}, nil},
		{"start-failed", []string{"bad"}, slices.Concat(bad("3"), bad("2"), bad("1"))},
		{"monitor-failed", []string{"stay"}, stay},
		{"monitor-failed", []string{"stay", "bad"}, slices.Concat(bad("3"), bad("2"), stay, bad("1"))},
		{"monitor-failed", []string{"run", "ba", "bad#start_0", "bad.start_0"}, nil},
		{"monitor-failed", nil, nil},
		{"leftovers", []string{"stay", "once"}, slices.Concat(stay, once)},
		{"one", []string{"once"}, once}, // Pacemaker wraps only what is more than one
	} {
		got, err := cib.ParseLeftovers(recorded(t, "transient-"+test.file), test.ids)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s %v: %v %s", test.file, test.ids, err, diff)
		}
	}
	old := []byte(`<transient_attributes id="1"><instance_attributes id="status-1">
		<nvpair id="a" name="fail-count-service-bad" value="1"/></instance_attributes></transient_attributes>`)
	if got, err := cib.ParseLeftovers(old, []string{"bad"}); err != nil || got != nil {
		t.Errorf("an attribute of no operation is read as %v (%v)", got, err)
	}
	if got, err := cib.ParseLeftovers(nil, []string{"bad"}); err != nil || got != nil {
		t.Errorf("nothing is read as %v (%v)", got, err)
	}
}

func TestParseLeftoversFaults(t *testing.T) {
	whole := recorded(t, "transient-start-failed")
	for name, text := range map[string]string{
		"cut off": string(whole[:len(whole)/2]), "a tag too much": "</all>", "a tag too little": "<xpath-query>",
	} {
		if got, err := cib.ParseLeftovers([]byte(text), []string{"bad"}); err == nil {
			t.Errorf("%s is read as %v", name, got)
		}
	}
}

func FuzzParseLeftovers(f *testing.F) {
	seeds(f, "transient")
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := cib.ParseLeftovers(text, []string{"bad", "stay"})
		if err != nil && found != nil {
			t.Errorf("an error comes with %v", found)
		}
	})
}
