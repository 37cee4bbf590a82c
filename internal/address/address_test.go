package address

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sirikata/sirikata-cluster/cluster"
)

var same = cmpopts.EquateComparable(netip.Addr{})

func addresses(words ...string) []netip.Addr {
	var all []netip.Addr
	for _, word := range words {
		all = append(all, netip.MustParseAddr(word))
	}
	return all
}

// TestArgv asks the machine of the test.
func TestArgv(t *testing.T) {
	argv := Argv()
	asked := exec.Command(argv[0], argv[1:]...)
	asked.Env = append(asked.Environ(), "SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22")
	out, err := asked.Output()
	if err != nil {
		t.Fatal(err)
	}
	if facts := Parse(out); facts.Reached != netip.MustParseAddr("192.0.2.2") {
		t.Errorf("%+v of %q", facts, out)
	}
}

func TestParse(t *testing.T) {
	got := Parse([]byte(`reached 10.0.0.9 51234 10.0.0.2 22
own 10.0.0.2
own fd00::2
own
own nonsense
known 10.0.0.2 db
known 10.0.0.3 web
known nonsense x
`))
	want := Facts{Reached: netip.MustParseAddr("10.0.0.2"), Own: addresses("10.0.0.2", "fd00::2"),
		Known: map[string]netip.Addr{"db": netip.MustParseAddr("10.0.0.2"), "web": netip.MustParseAddr("10.0.0.3")}}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Error(diff)
	}
	if mapped := Parse([]byte("reached ::1 2 ::ffff:10.0.0.2 22\n")); mapped.Reached != netip.MustParseAddr("10.0.0.2") {
		t.Errorf("%+v", mapped)
	}
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		name, given, reached string
		own                  []string
		want, fails          string
	}{
		{"as it was so far", "", "10.0.0.2", []string{"10.0.0.2", "10.9.9.9"}, "10.9.9.9", ""},
		{"as its owner says now", "10.0.0.2", "10.0.0.2", []string{"10.0.0.2", "10.9.9.9"}, "10.0.0.2", ""},
		{"as it was reached", "", "10.0.0.2", []string{"10.0.0.2", "172.17.0.1"}, "10.0.0.2", ""},
		{"as its owner says", "172.17.0.1", "10.0.0.2", []string{"10.0.0.2", "172.17.0.1"}, "172.17.0.1", ""},
		{"the only one, without SSH", "", "", []string{"10.0.0.2"}, "10.0.0.2", ""},
		{"the only one, reached by loopback", "", "127.0.0.1", []string{"10.0.0.2"}, "10.0.0.2", ""},
		{"not its own", "10.0.0.3", "10.0.0.2", []string{"10.0.0.2"}, "", "its cluster address 10.0.0.3 is on none of its interfaces"},
		{"several", "", "127.0.0.1", []string{"10.0.0.2", "172.17.0.1"}, "", "it has several addresses: 10.0.0.2, 172.17.0.1"},
		{"none", "", "127.0.0.1", nil, "", "it has no address"},
	} {
		facts := Facts{Own: addresses(test.own...), Reached: parse(test.reached),
			Known: map[string]netip.Addr{"node": netip.MustParseAddr("10.9.9.9")}}
		got, err := facts.Choose("node", test.given)
		if test.fails == "" && (err != nil || got.String() != test.want) {
			t.Errorf("%s: %v (%v), not %s", test.name, got, err, test.want)
		}
		if test.fails != "" && (err == nil || !strings.HasPrefix(err.Error(), test.fails)) {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for want, nodes := range map[string][]string{
		"":                                       {"10.0.0.1", "10.0.0.2", "10.0.0.3"},
		"n0 and n2 both have the address fd00::": {"fd00::", "fd00::2", "fd00::"},
		"n0 has the address 10.0.0.1 and n1 has fd00::1: a cluster uses one version of IP": {"10.0.0.1", "fd00::1"},
	} {
		var all []Node
		for i, text := range nodes {
			all = append(all, Node{Name: fmt.Sprintf("n%d", i), Address: netip.MustParseAddr(text)})
		}
		err := Check(all)
		if want == "" && err == nil {
			continue
		}
		if err == nil || err.Error() != want {
			t.Errorf("%v: %v", nodes, err)
			continue
		}
		if cluster.HintOf(err) == "" || errors.Unwrap(err) == nil {
			t.Errorf("%v has no hint", err)
		}
	}
}
