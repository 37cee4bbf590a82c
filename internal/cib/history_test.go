package cib_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// TestHistory reads what two nodes remember of a service.
func TestHistory(t *testing.T) {
	type verdict struct {
		Started string
		Tried   bool
		Stopped bool
	}
	on := func(node string, ops ...string) string {
		text := `<lrm_resource id="service-a" type="service">`
		for _, op := range ops {
			text += `<lrm_rsc_op ` + op + ` on_node="` + node + `"/>`
		}
		return text + `</lrm_resource>`
	}
	const (
		absent  = `operation="monitor" rc-code="7" call-id="5"`
		runs    = `operation="start" rc-code="0" call-id="6"`
		checked = `operation="monitor" rc-code="0" call-id="7" interval="1000"`
		fails   = `operation="start" rc-code="1" call-id="6"`
		dead    = `operation="monitor" rc-code="7" call-id="8" interval="1000"`
		stops   = `operation="stop" rc-code="193" call-id="-1"`
		stopped = `operation="stop" rc-code="0" call-id="9"`
		stuck   = `operation="stop" rc-code="1" call-id="9"`
		starts  = `operation="start" rc-code="193" call-id="-1"`
	)
	for _, test := range []struct {
		name, text string
		want       verdict
	}{
		{"nothing", "", verdict{Stopped: true}},
		{"probed", on("node0", absent) + on("node1", absent), verdict{Stopped: true}},
		{"starts", on("node0", absent, starts) + on("node1", absent), verdict{}},
		{"first of all it starts", on("node0", starts), verdict{}},
		{"runs", on("node0", absent) + on("node1", absent, runs), verdict{Started: "node1", Tried: true}},
		{"was checked", on("node0", checked, absent, runs), verdict{Started: "node0", Tried: true}},
		{"failed", on("node0", absent, fails), verdict{Tried: true}},
		{"failed and starts elsewhere", on("node0", absent, fails) + on("node1", starts), verdict{}},
		{"failed and runs elsewhere", on("node0", fails, stopped) + on("node1", absent, runs), verdict{Started: "node1", Tried: true}},
		{"died", on("node0", runs, dead), verdict{Tried: true, Stopped: true}},
		{"stops", on("node0", runs, checked, stops), verdict{}},
		{"stopped", on("node0", runs, checked, stopped), verdict{Tried: true, Stopped: true}},
		{"does not stop", on("node0", runs, checked, stuck), verdict{Tried: true}},
	} {
		history, err := cib.ParseHistory([]byte("<xpath-query>" + test.text + "</xpath-query>"))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		node, ok := history.Started("a")
		if !ok {
			node = ""
		}
		got := verdict{Started: node, Tried: history.Tried("a"), Stopped: history.Stopped("a")}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestHistoryText: one match is printed as itself, none as nothing.
func TestHistoryText(t *testing.T) {
	one := `<lrm_resource id="service-a"><lrm_rsc_op operation="start" rc-code="0" call-id="6" on_node="node2"/></lrm_resource>`
	if history, err := cib.ParseHistory([]byte(one)); err != nil || !history.Tried("a") || history.Tried("b") {
		t.Errorf("one match: %+v (%v)", history, err)
	}
	if history, err := cib.ParseHistory(nil); err != nil || history.Tried("a") {
		t.Errorf("no match: %+v (%v)", history, err)
	}
	for _, broken := range []string{"<xpath-query>", `<lrm_resource id="service-a"><lrm_rsc_op operation="start"`} {
		if _, err := cib.ParseHistory([]byte(broken)); err == nil {
			t.Errorf("what is cut off is believed: %s", broken)
		}
	}
	const want = "//lrm_resource[@id='service-a' or @id='service-b']"
	if got := cib.HistoryXPath([]string{"a", "b"}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestGlance reads what cibadmin 2.1.5 prints with --no-children.
func TestGlance(t *testing.T) {
	text := `<xpath-query>
  <cib have-quorum="1" dc-uuid="2" crm_feature_set="3.16.1" validate-with="pacemaker-3.0" admin_epoch="0" epoch="0" num_updates="0"/>
  <node id="node3" uname="node3"/>
  <node_state id="1" uname="node0" in_ccm="true" crmd="online" join="member" expected="member"/>
  <node_state id="2" uname="node1" in_ccm="true" crmd="online" join="pending" expected="member"/>
  <node_state id="3" uname="node2" in_ccm="false" crmd="offline" join="down" expected="down"/>
  <node_state id="node3" uname="node3" in_ccm="true" remote_node="true" node_fenced="0"/>
  <node_state id="node4" uname="node4" in_ccm="true" remote_node="true"/>
  <node_state id="node5" uname="node5" in_ccm="false" remote_node="true"/>
</xpath-query>`
	mon, err := cib.ParseGlance([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"DC": mon.DC.Name}
	for _, node := range mon.Nodes {
		got[node.Name] = string(mon.NodeState(node.Name))
	}
	want := map[string]string{"DC": "node1", "node0": "online", "node1": "offline", "node2": "offline",
		"node3": "standby", "node4": "online", "node5": "offline"}
	if diff := cmp.Diff(want, got); diff != "" || !mon.DC.Quorum || mon.NodeName("3") != "node2" {
		t.Errorf("%s, quorum %v", diff, mon.DC.Quorum)
	}
	lost, err := cib.ParseGlance([]byte(`<xpath-query><cib have-quorum="0" dc-uuid="1"/></xpath-query>`))
	if err != nil || lost.DC.Quorum {
		t.Errorf("quorum is %v (%v)", lost.DC.Quorum, err)
	}
	if _, err := cib.ParseGlance([]byte("<xpath-query>")); err == nil {
		t.Error("what is cut off is believed")
	}
}
