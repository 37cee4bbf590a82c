package adhoc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/provider/adhoc"
	"github.com/sirikata/sirikata-cluster/internal/provider/providertest"
)

type given struct{ *adhoc.Provider }

func (given) Given() {}

func spec(t *testing.T, words ...string) cluster.Spec {
	t.Helper()
	hosts, _, err := cluster.ParseHosts(words, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Spec{Name: "lab", Type: cluster.AdHoc, Engine: cluster.Direct, Size: len(hosts), Hosts: hosts,
		LoginUser: "me", SirikataPath: "/s", WorkingPath: "/w", WorkspacePath: "/x"}
}

func TestProvider(t *testing.T) {
	words := []string{"10.0.0.1", `{"dns_name":"b.lan","port":2222,"cluster_address":"10.0.0.2"}`, "[2001:db8::1]:22"}
	providertest.Run(t, func(*testing.T) provider.Provider { return given{adhoc.New()} }, spec(t, words...))
}

func TestMachines(t *testing.T) {
	got, err := adhoc.New().Find(t.Context(), spec(t, "web", "db.lan:2222", "localhost", "fe80::1"))
	if err != nil {
		t.Fatal(err)
	}
	want := []provider.Machine{
		{Index: 0, Name: "web", ID: "web", Connect: "web", FQDN: "web", Running: true},
		{Index: 1, Name: "db", ID: "db.lan:2222", Connect: "db.lan:2222", FQDN: "db.lan", Running: true},
		{Index: 2, Name: "localhost", ID: "this machine", Connect: "localhost", FQDN: "localhost", Running: true},
		{Index: 3, Name: "fe80-1", ID: "fe80::1", Connect: "fe80::1", Address: "fe80::1", FQDN: "fe80::1", Running: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
