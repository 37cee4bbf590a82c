package cib_test

import (
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func TestStarted(t *testing.T) {
	op := func(service, operation, code string) string {
		return `<lrm_resource id="service-` + service + `"><lrm_rsc_op operation="` + operation + `" rc-code="` + code + `"/></lrm_resource>`
	}
	ids := []string{"a", "b"}
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"nothing yet", "", false},
		{"probes only", op("a", "monitor", "7") + op("b", "monitor", "7"), false},
		{"one of two", op("a", "start", "0"), false},
		{"both", op("a", "start", "0") + op("b", "start", "0"), true},
		{"one failed", op("a", "start", "0") + op("b", "start", "1"), true},
		{"one failed and starts elsewhere", op("a", "start", "0") + op("b", "start", "1") + op("b", "start", "193"), false},
		{"another's", op("a", "start", "0") + op("c", "start", "0"), false},
	} {
		got, err := cib.Started([]byte("<xpath-query>"+test.text+"</xpath-query>"), ids)
		if err != nil || got != test.want {
			t.Errorf("%s: %v (%v)", test.name, got, err)
		}
	}
	// One match is printed as itself, none as nothing.
	if got, err := cib.Started([]byte(op("a", "start", "0")), ids[:1]); err != nil || !got {
		t.Errorf("one match: %v (%v)", got, err)
	}
	if got, err := cib.Started(nil, ids); err != nil || got {
		t.Errorf("no match: %v (%v)", got, err)
	}
	if _, err := cib.Started([]byte("<xpath-query>"), ids); err == nil {
		t.Error("what is cut off is believed")
	}
	const want = "//lrm_resource[@id='service-a' or @id='service-b']"
	if got := cib.HistoryXPath(ids); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
