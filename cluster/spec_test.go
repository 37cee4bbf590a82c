package cluster_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// faultsOf fails unless err is an *InvalidError.
func faultsOf(t *testing.T, err error) []cluster.Fault {
	t.Helper()
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error %v is not an InvalidError", err)
	}
	return invalid.Faults
}

func TestValidateName(t *testing.T) {
	for _, name := range []string{"a", "0", "world", "a-b", "1a", "x--y", strings.Repeat("a", 63)} {
		if err := cluster.ValidateName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "-", "a-", "-a", "World", "a.b", "a_b", "a b", "a/b", "..", "ä", "a\n",
		strings.Repeat("a", 64)} {
		faults := faultsOf(t, cluster.ValidateName(name))
		if len(faults) != 1 || faults[0].Field != "" {
			t.Errorf("%q: faults %v, want one of the whole", name, faults)
		}
	}
	const want = `invalid cluster name: "Wörld" is not a DNS label: use 1 to 63 of a-z, 0-9 and -, with no - at either end`
	if err := cluster.ValidateName("Wörld"); err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestSpecValidate(t *testing.T) {
	const (
		badSize  = " is out of range: a cluster has 1 to 240 nodes"
		badToken = " is not a token profile: use lan, cloud, or 200 to 60000 milliseconds"
	)
	for _, test := range []struct {
		name string
		spec cluster.Spec
		want string
	}{
		{"smallest", cluster.Spec{Name: "a", Size: 1, TokenProfile: "lan"}, ""},
		{"largest", cluster.Spec{Name: "a", Size: cluster.MaxSize, TokenProfile: "60000"}, ""},
		{"none", cluster.Spec{Name: "a", TokenProfile: "lan"}, `invalid cluster "a": size: 0` + badSize},
		{"negative", cluster.Spec{Name: "a", Size: -1, TokenProfile: "cloud"}, `invalid cluster "a": size: -1` + badSize},
		{"too large", cluster.Spec{Name: "a", Size: 241, TokenProfile: "200"}, `invalid cluster "a": size: 241` + badSize},
		{"no profile", cluster.Spec{Name: "a", Size: 1}, `invalid cluster "a": token-profile: ""` + badToken},
		{"capabilities", cluster.Spec{Name: "a", Size: 1, TokenProfile: "lan", Type: cluster.Local,
			Capabilities: map[string][]string{"node0": {"", "G-P_U.1"}, "node1": {"redis", "a,b"}}},
			`invalid cluster "a": capability: "" of node0: use letters, digits, _ . and -; ` +
				`capability: "node1" will not be a node of a cluster of 1; ` +
				`capability: "a,b" of node1: use letters, digits, _ . and -`},
		{"capabilities of instances", cluster.Spec{Name: "a", Size: 1, TokenProfile: "lan", Type: cluster.EC2,
			Capabilities: map[string][]string{"db.example.org": {"redis"}}}, ""},
		{"removed", cluster.Spec{Name: "a", Size: 2, TokenProfile: "lan", Removed: []int{1, 239}}, ""},
		{"removed too many", cluster.Spec{Name: "a", Size: 239, TokenProfile: "lan", Removed: []int{1, 7}}, `invalid cluster "a": ` +
			`size: 239 and 2 nodes that were removed are more than the 240 that a cluster may have in its life`},
		{"removed none", cluster.Spec{Name: "a", Size: 1, TokenProfile: "lan", Removed: []int{3, -1, 3, 240}}, `invalid cluster "a": ` +
			`removed: -1 is not the index of a node: they are 0 to 239; removed: 3 stands there twice; ` +
			`removed: 240 is not the index of a node: they are 0 to 239`},
		{"capabilities after a removal", cluster.Spec{Name: "a", Size: 2, TokenProfile: "lan", Type: cluster.Local, Removed: []int{1},
			Capabilities: map[string][]string{"node0": {"a"}, "node1": {"b"}, "node2": {"c"}}},
			`invalid cluster "a": capability: "node1" will not be a node of a cluster of 2`},
		{"all at once", cluster.Spec{Name: "a", Size: 0, TokenProfile: "wan"},
			`invalid cluster "a": size: 0` + badSize + `; token-profile: "wan"` + badToken},
		{"a name that is none", cluster.Spec{Name: "A", Size: 0},
			`invalid cluster "A": name: "A" is not a DNS label: use 1 to 63 of a-z, 0-9 and -, with no - at either end; ` +
				`size: 0` + badSize + `; token-profile: ""` + badToken},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.spec.Validate()
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			faultsOf(t, err)
			if err.Error() != test.want {
				t.Errorf("error\n%s\nwant\n%s", err, test.want)
			}
		})
	}
}

func TestIndexes(t *testing.T) {
	for _, test := range []struct {
		size    int
		removed []int
		want    []int
	}{
		{0, nil, nil},
		{3, nil, []int{0, 1, 2}},
		{2, []int{1}, []int{0, 2}},
		{3, []int{4, 0, 1}, []int{2, 3, 5}},
		{1, []int{9}, []int{0}},
	} {
		if got := (cluster.Spec{Size: test.size, Removed: test.removed}).Indexes(); !slices.Equal(got, test.want) {
			t.Errorf("%d without %v: %v, want %v", test.size, test.removed, got, test.want)
		}
	}
}

func TestTokenProfile(t *testing.T) {
	for profile, want := range map[cluster.TokenProfile]struct{ token, detection time.Duration }{
		"lan":   {time.Second, 2200 * time.Millisecond},
		"cloud": {5 * time.Second, 11 * time.Second},
		"200":   {200 * time.Millisecond, 440 * time.Millisecond},
		"60000": {time.Minute, 132 * time.Second},
		// No token time-out.
		"":                     {},
		"LAN":                  {},
		"199":                  {},
		"60001":                {},
		"-1000":                {},
		"1e3":                  {},
		"1000ms":               {},
		"9223372036854775807":  {}, // more nanoseconds than there are
		"18446744073709551816": {},
		"18446744074710":       {}, // as nanoseconds, 2^64 and 1 s
	} {
		token, err := profile.Token()
		if token != want.token || (err != nil) != (want.token == 0) {
			t.Errorf("%q: token %v (%v), want %v", profile, token, err, want.token)
		}
		if got := profile.Detection(); got != want.detection {
			t.Errorf("%q: detection %v, want %v", profile, got, want.detection)
		}
	}
}

func TestStatusService(t *testing.T) {
	status := cluster.Status{Services: []cluster.ServiceStatus{{ID: "a"}, {ID: "b", Node: "node1"}}}
	if got, ok := status.Service("b"); !ok || got.ID != "b" || got.Node != "node1" {
		t.Errorf("found %v %v", got, ok)
	}
	if got, ok := status.Service("c"); ok || got != (cluster.ServiceStatus{}) {
		t.Errorf("found %v %v", got, ok)
	}
}
