package form

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func TestParseFacts(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       facts
	}{
		{name: "nothing"},
		{"fresh", "machine x86_64\nprogram \nconf 12ab\ncluster debian\nauthkey \n",
			facts{machine: "x86_64", conf: "12ab", cluster: "debian"}},
		{"member", "machine aarch64\nprogram 34cd\nconf 12ab\ncluster world \nauthkey " + base64Of(key(7)) +
			"\ncib yes\nlived yes\ncorosync yes\npacemaker yes\n",
			facts{machine: "aarch64", program: "34cd", conf: "12ab", cluster: "world", authKey: key(7), cib: true,
				lived: true, corosync: true, pacemaker: true}},
		{"noise", "Welcome!\nauthkey ***\n\nmachine\ncib yes\n", facts{cib: true}},
	} {
		got := parseFacts([]byte(test.text))
		if len(got.authKey) == 0 {
			got.authKey = nil
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(facts{})); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func FuzzParseFacts(f *testing.F) {
	f.Add([]byte("machine x86_64\nauthkey AAAA\ncluster world\n"))
	f.Add([]byte("authkey =\ncluster"))
	f.Fuzz(func(t *testing.T, text []byte) {
		found := parseFacts(text)
		if strings.ContainsAny(found.cluster+found.machine+found.conf+found.program, "\n") {
			t.Errorf("%+v holds two lines", found)
		}
	})
}

func TestRefuseForeign(t *testing.T) {
	for _, test := range []struct {
		name  string
		found facts
		ok    bool
	}{
		{"of another of ours, of this name before", facts{cluster: "world", owner: "others"}, false},
		{"another's remote node", facts{owner: "others", remote: true}, false},
		{"bare", facts{}, true},
		{"Debian's", facts{cluster: "debian"}, true},
		{"Debian's, its Pacemaker was started", facts{cluster: "debian", cib: true}, true},
		{"ours", facts{cluster: "world", cib: true, lived: true}, true},
		{"ours, configured", facts{cluster: "world"}, true},
		{"ours, its corosync.conf lost", facts{owner: "world", cib: true, lived: true}, true},
		{"ours, its corosync.conf edited", facts{cluster: "others", owner: "world", cib: true, lived: true}, true},
		{"another's", facts{cluster: "others"}, false},
		{"another's that lived", facts{cluster: "others", cib: true, lived: true}, false},
		{"one without a name that lived", facts{cib: true, lived: true}, false},
		{"Debian's that lived", facts{cluster: "debian", cib: true, lived: true}, false},
	} {
		f := &Former{Spec: cluster.Spec{Name: "world"}}
		err := settle(t.Context(), f, []*member{{node: cluster.Node{Name: "node0"}}, {node: cluster.Node{Name: "node1"}, found: test.found}})
		if test.ok != (err == nil) {
			t.Errorf("%s: %v", test.name, err)
		}
		var node *cluster.NodeError
		if err != nil && (!errors.As(err, &node) || node.Node != "node1" || !strings.HasPrefix(cluster.HintOf(err), "take it out of that cluster first: ")) {
			t.Errorf("%s: %v, hint %q", test.name, err, cluster.HintOf(err))
		}
	}
}

// TestRefuseForeignHost: on a host that the user has, a cluster of the same name may
// be anybody's.
func TestRefuseForeignHost(t *testing.T) {
	for _, test := range []struct {
		name  string
		found facts
		ok    bool
	}{
		{"bare", facts{}, true},
		{"Debian's, stopped", facts{cluster: "debian", cib: true}, true},
		{"prepared for ours", facts{owner: "world"}, true},
		{"ours", facts{owner: "world", cluster: "world", lived: true, corosync: true}, true},
		{"another's of this name", facts{cluster: "world", lived: true}, false},
		{"another's of this name that runs", facts{cluster: "world", corosync: true}, false},
		{"another's remote node", facts{remote: true}, false},
		{"Debian's that runs", facts{cluster: "debian", corosync: true, pacemaker: true}, false},
	} {
		f := &Former{Spec: cluster.Spec{Name: "world"}, Prepare: true}
		if err := f.foreign(test.found); test.ok != (err == nil) || err != nil && cluster.HintOf(err) == "" {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestSameIDs: a spec with the hosts in another order would give two nodes each
// other's number.
func TestSameIDs(t *testing.T) {
	f := &Former{Spec: cluster.Spec{Name: "world"}, Prepare: true, Nodes: []cluster.Node{{Index: 0, Name: "a"}, {Index: 2, Name: "c"}}}
	for ids, ok := range map[string]bool{"": true, "a:1 c:3": true, "a:1 b:2 c:3": true, "c:1 a:3": false, "a:1 c:2": false} {
		ours := &member{found: facts{owner: "world", ids: strings.Fields(ids)}}
		if err := f.sameIDs([]*member{ours}); (err == nil) != ok || err != nil && cluster.HintOf(err) == "" {
			t.Errorf("%s: %v", ids, err)
		}
		ours.found.owner = "others"
		if err := f.sameIDs([]*member{ours}); err != nil {
			t.Errorf("%s of another cluster: %v", ids, err)
		}
	}
}

func TestAdoptKey(t *testing.T) {
	ours := func(fill byte, runs bool) facts { return facts{cluster: "world", authKey: key(fill), corosync: runs} }
	for _, test := range []struct {
		name  string
		found []facts
		want  []byte // nil for a new one
	}{
		{"none", []facts{{}, {cluster: "debian"}}, nil},
		{"one", []facts{{}, ours(1, false)}, key(1)},
		{"the one that runs", []facts{ours(1, false), ours(2, true)}, key(2)},
		{"the first", []facts{ours(3, true), ours(2, true)}, key(3)},
		{"not a key", []facts{{cluster: "world", authKey: key(1)[:100], corosync: true}, ours(4, false)}, key(4)},
		{"another cluster's", []facts{{cluster: "debian", authKey: key(1), corosync: true}}, nil},
	} {
		f := &Former{Spec: cluster.Spec{Name: "world"}}
		var members []*member
		for _, found := range test.found {
			members = append(members, &member{found: found})
		}
		if err := adoptKeys(f, members); err != nil {
			t.Fatal(err)
		}
		if test.want != nil && !bytes.Equal(f.authKey, test.want) {
			t.Errorf("%s: key %x…", test.name, f.authKey[:4])
		}
		another := &Former{Spec: f.Spec}
		if err := adoptKeys(another, members); err != nil {
			t.Fatal(err)
		}
		if len(f.authKey) != authKeySize || bytes.Equal(f.authKey, another.authKey) != (test.want != nil) {
			t.Errorf("%s: a key of %d bytes, %x… and then %x…", test.name, len(f.authKey), f.authKey[:4], another.authKey[:4])
		}
	}
}

func TestData(t *testing.T) {
	g := newGroup(t, 2)
	f := &g.former
	f.authKey, f.full = key(9), round{"node0", "node1"}
	f.Nodes[1].Capabilities = []string{"redis"}
	data, err := f.data(&member{node: f.Nodes[1], role: cluster.Full})
	if err != nil {
		t.Fatal(err)
	}
	wantNode := cluster.NodeFile{Cluster: "world", Name: "node1", Role: cluster.Full, FQDN: "node1.example.org", ServiceUser: "sirikata",
		WorkingPath: "/srv", WorkspacePath: "/var/tmp", SirikataPath: "/srv/sirikata", Capabilities: []string{"redis"}}
	if diff := cmp.Diff(wantNode, data.Node); diff != "" {
		t.Error(diff)
	}
	corosync := data.Corosync
	if corosync.TokenMilliseconds != 1000 || !corosync.TwoNode || corosync.Realtime || !bytes.Equal(corosync.AuthKey, key(9)) {
		t.Errorf("%+v", corosync)
	}
	for i, member := range corosync.Members {
		if node := f.Nodes[i]; member.ID != i+1 || member.Name != node.Name || member.Address != node.Address {
			t.Errorf("%+v of %+v", member, node)
		}
	}
	f.Spec.Type = cluster.AdHoc
	f.Nodes, f.full = f.Nodes[:1], f.full[:1]
	if data, err = f.data(&member{node: f.Nodes[0], role: cluster.Full}); err != nil || data.Corosync.TwoNode || !data.Corosync.Realtime {
		t.Errorf("one host: %+v (%v)", data.Corosync, err)
	}
}

// TestFirstCIB is laid down by a node that has one, or that founds the cluster.
func TestFirstCIB(t *testing.T) {
	first, err := cib.First()
	if err != nil {
		t.Fatal(err)
	}
	g := newGroup(t, 1)
	for _, test := range []struct{ lived, has, want bool }{
		{false, false, true}, {false, true, true}, {true, true, true}, {true, false, false},
	} {
		g.former.lived = test.lived
		data, err := g.former.data(&member{node: g.former.Nodes[0], role: cluster.Full, found: facts{cib: test.has}})
		if err != nil || (data.FirstCIB == first) != test.want || (data.FirstCIB == "") == test.want {
			t.Errorf("%+v: %v, first CIB of %d characters", test, err, len(data.FirstCIB))
		}
	}
}
