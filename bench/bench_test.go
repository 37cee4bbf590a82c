package main

import (
	"slices"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// TestDigest compares with what crm_resource --digests of Pacemaker 2.1.5 printed
// for a service of a generated CIB.
func TestDigest(t *testing.T) {
	service, err := generated{nodes: 12, full: 3}.service(1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := service.digest(""), "ecd2f4b387fba0b914a836c4e3be64c3"; got != want {
		t.Errorf("digest %s, not %s", got, want)
	}
}

func TestGenerated(t *testing.T) {
	g := generated{nodes: 9, full: 3, services: 20}
	document, err := g.document()
	if err != nil {
		t.Fatal(err)
	}
	resources, err := cib.ParseResources([]byte("<resources>" + between(document, "<resources>", "</resources>") + "</resources>"))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(resources.Primitives); got != g.services+1 {
		t.Errorf("%d services, not one more than %d", got, g.services)
	}
	for _, primitive := range resources.Primitives {
		if got := primitive.Candidates(); len(got) != candidatesOfAny {
			t.Errorf("%s has candidates %v", primitive.ID, got)
		}
	}
	history := []byte("<status>" + between(document, "<status>", "</status>") + "</status>")
	ids := resources.IDs()
	seen, err := cib.ParseHistory(history)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if _, runs := seen.Started(id); runs != (i < g.services) {
			t.Errorf("service %s: started is %v", id, runs)
		}
	}
}

func TestChanged(t *testing.T) {
	const patch = `<diff format="2">
  <version><source epoch="1"/></version>
  <change operation="create" path="/cib/configuration/resources" position="1">
    <primitive id="x"/>
  </change>
  <change operation="modify" path="/cib"><change-list/></change>
  <change operation="delete" path="/cib/status/node_state[@id='1']"/>
  <change operation="move" path="/cib/status"/>
</diff>`
	configuration, status, err := changed(patch)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(`<change operation="create" path="/cib/configuration/resources" position="1"><primitive id="x"/></change>`); configuration != want {
		t.Errorf("configuration %d, not %d", configuration, want)
	}
	if want := len(`<change operation="delete" path="/cib/status/node_state[@id='1']"/><change operation="move" path="/cib/status"/>`); status != want {
		t.Errorf("status %d, not %d", status, want)
	}
	if _, _, err := changed("<diff><change>"); err == nil {
		t.Error("half a patch is none")
	}
}

func TestProfile(t *testing.T) {
	b := &bench{}
	if err := b.reportProfile("", "Timings:\n  * Testing /tmp/cib.xml ... 0.28 secs\n", 10); err != nil {
		t.Fatal(err)
	}
	if got, want := b.rows[0].ours.String(), "0.0280 s of CPU, mean of 10"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	for _, printed := range []string{"", "Timings:", "Testing ... none secs", "Testing ... 0.28"} {
		if b.reportProfile("", printed, 1) == nil {
			t.Errorf("%q is no time", printed)
		}
	}
}

func TestProgress(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	p := progress{began: at(0), ended: at(9), lines: []line{
		{"node1: started", at(1)}, {"configuring with Puppet", at(2)}, {"starting Corosync and Pacemaker", at(5)},
		{"configuring with Puppet", at(7)},
	}}
	if got := p.between("configuring with Puppet", "starting Corosync"); got != 3*time.Second {
		t.Errorf("between: %v", got)
	}
	if got := p.since("starting Corosync"); got != 4*time.Second {
		t.Errorf("since: %v", got)
	}
	if got := p.since("never said"); got != 0 {
		t.Errorf("since what was never said: %v", got)
	}
}

func TestChoose(t *testing.T) {
	all := func() []stage { return (&bench{}).stages() }
	for _, test := range []struct {
		large bool
		only  string
		want  []string
	}{
		{false, "", []string{"small"}},
		{true, "", []string{"three", "seven", "twelve", "many", "generated", "package", "sync", "ssh"}},
		{false, "many,small", []string{"small", "many"}},
	} {
		got, err := choose(all(), test.large, test.only)
		if err != nil || !slices.Equal(names(got), test.want) {
			t.Errorf("%v %q: %v, %v", test.large, test.only, names(got), err)
		}
	}
	if _, err := choose(all(), true, "fast"); err == nil {
		t.Error("fast is no stage")
	}
}

func TestLimits(t *testing.T) {
	slow := row{ours: sample{time.Second, 3 * time.Second, 4 * time.Second}, goal: time.Second, limit: 2 * time.Second}
	if got, want := slow.limits(), "2s, wanted 1s: missed"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got := slow.ratio(peer{"peer", sample{6 * time.Second}}); got != "2.0" {
		t.Errorf("ratio %s", got)
	}
	if got := (row{ours: text("5")}).ratio(peer{"peer", sample{time.Second}}); got != "-" {
		t.Errorf("ratio of a text %s", got)
	}
}
