package local

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestParseNetworks(t *testing.T) {
	text, err := os.ReadFile("testdata/network-20.10.24.json")
	if err != nil {
		t.Fatal(err)
	}
	var networks []dockerNetwork
	if err := json.Unmarshal(text, &networks); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, n := range networks {
		for _, s := range n.subnets() {
			all = append(all, n.Name+" "+s.String()+" "+n.Labels[ClusterLabel])
		}
	}
	slices.Sort(all)
	want := []string{"bridge 172.17.0.0/16 ", "lab 10.213.0.0/24 ", "sirikata-t-rec 10.213.124.0/24 t-rec"}
	if !slices.Equal(all, want) {
		t.Errorf("networks %q, want %q", all, want)
	}
}

func TestChooseSubnet(t *testing.T) {
	prefix := netip.MustParsePrefix
	first, err := chooseSubnet("world", netip.Prefix{}, nil)
	if err != nil || first.Bits() != 24 || !prefix("10.213.0.0/16").Overlaps(first) {
		t.Fatalf("nothing used: %v, %v", first, err)
	}
	if again, _ := chooseSubnet("world", netip.Prefix{}, nil); again != first {
		t.Errorf("another one at the second time: %v, %v", first, again)
	}
	if wanted, err := chooseSubnet("world", prefix("10.213.9.0/24"), []netip.Prefix{prefix("10.0.0.0/8")}); err != nil ||
		wanted != prefix("10.213.9.0/24") {
		t.Errorf("the wanted one: %v, %v", wanted, err)
	}
	var used []netip.Prefix
	for range 256 {
		next, err := chooseSubnet("world", netip.Prefix{}, used)
		if err != nil || !prefix("10.213.0.0/16").Overlaps(next) || overlaps(next, used) {
			t.Fatalf("after %d: %v, %v", len(used), next, err)
		}
		used = append(used, next)
	}
	if next, err := chooseSubnet("world", netip.Prefix{}, used); err != nil || !prefix("172.30.0.0/16").Overlaps(next) {
		t.Errorf("the first pool is full: %v, %v", next, err)
	}
	_, err = chooseSubnet("world", netip.Prefix{}, []netip.Prefix{prefix("10.213.0.0/16"), prefix("172.16.0.0/12")})
	if !errors.Is(err, ErrNoSubnet) || cluster.HintOf(err) == "" {
		t.Errorf("all pools are full: %v, hint %q", err, cluster.HintOf(err))
	}
}

func TestNodeAddress(t *testing.T) {
	subnet := netip.MustParsePrefix("10.213.7.0/24")
	for index, want := range map[int]string{0: "10.213.7.10", cluster.MaxSize - 1: "10.213.7.249"} {
		if got := nodeAddress(subnet, index).String(); got != want {
			t.Errorf("node%d: %s, want %s", index, got, want)
		}
	}
}

func TestParseRoutes(t *testing.T) {
	const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
br-f6f52b80e0dd	0000D50A	00000000	0001	0	0	0	00FFFFFF	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
tun0	0000000A	00000000	0001	0	0	0	000000FF	0	0	0
`
	var got []string
	for _, p := range parseRoutes(table) {
		got = append(got, p.String())
	}
	if want := []string{"10.213.0.0/24", "172.17.0.0/16", "10.0.0.0/8"}; !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
}

// TestNetworkRetries checks that a subnet that another program takes while we
// choose it is not the end.
func TestNetworkRetries(t *testing.T) {
	dir := t.TempDir()
	fakeTool(t, "docker", `
case "$1 $2" in
"network ls") echo 1 ;;
"network inspect") echo '[{"Name":"bridge"}]' ;;
"network create")
	echo "$*" >>`+dir+`/calls
	[ "$(wc -l <`+dir+`/calls)" -ge 3 ] && exit 0
	echo "Error response from daemon: Pool overlaps with other one on this address space" >&2
	exit 1 ;;
*) exit 9 ;;
esac`)
	subnet, err := New(Options{Labels: map[string]string{"extra": "1"}}).network(t.Context(), "world", netip.Prefix{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(calls) != 3 || calls[0] == calls[1] || calls[1] == calls[2] {
		t.Errorf("calls %q", calls)
	}
	want := "network create --driver bridge --subnet " + subnet.String() +
		" --label org.sirikata.cluster=world --label extra=1 sirikata-world"
	if calls[len(calls)-1] != want {
		t.Errorf("last call\n%s\nwant\n%s", calls[len(calls)-1], want)
	}
}

func TestNetworkOfAnother(t *testing.T) {
	fakeTool(t, "docker", `
case "$1 $2" in
"network ls") echo 1 ;;
"network inspect") echo '[{"Name":"sirikata-world","IPAM":{"Config":[{"Subnet":"10.213.1.0/24"}]}}]' ;;
*) exit 9 ;;
esac`)
	_, err := New(Options{}).network(t.Context(), "world", netip.Prefix{})
	if err == nil || !strings.Contains(err.Error(), "not ours") || cluster.HintOf(err) == "" {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
}
