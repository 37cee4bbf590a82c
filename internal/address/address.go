// Package address finds out by which of their addresses the nodes of a cluster
// reach each other, on hosts that somebody else made. It contacts nobody: what a
// host says of itself is asked by [Argv], over the operator's own connection.
//
// Start at [Facts.Choose].
package address

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Facts are what a host says of itself.
type Facts struct {
	// Reached is the address at which sshd was reached, as the host itself sees it
	// (ssh(1), SSH_CONNECTION): behind a translation of addresses, its own one. It
	// is not valid without SSH.
	Reached netip.Addr
	// Own are the addresses on its interfaces, but for those of the host alone.
	Own []netip.Addr
	// Known are the addresses of the cluster's nodes by name, as the host was
	// configured last.
	Known map[string]netip.Addr
}

// script prints one fact a line. It needs no root and changes nothing.
const script = `
echo "reached $SSH_CONNECTION"
ip -oneline address show scope global | while read -r _ _ _ address _; do
	echo "own ${address%/*}"
done
[ ! -r ` + cluster.HostsFilePath + ` ] || while read -r address name _; do
	echo "known $address $name"
done <` + cluster.HostsFilePath + `
`

// Argv asks a host for its facts.
func Argv() []string { return []string{"sh", "-c", script} }

// Parse reads what [Argv] printed. What is no address is left out.
func Parse(out []byte) Facts {
	facts := Facts{Known: map[string]netip.Addr{}}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 5 && words[0] == "reached": // client, port, server, port
			facts.Reached = parse(words[3])
		case len(words) == 2 && words[0] == "own":
			if own := parse(words[1]); own.IsValid() {
				facts.Own = append(facts.Own, own)
			}
		case len(words) == 3 && words[0] == "known":
			if known := parse(words[1]); known.IsValid() {
				facts.Known[words[2]] = known
			}
		}
	}
	return facts
}

// parse is not valid for what is no address. The zone of one is of the host alone.
func parse(text string) netip.Addr {
	found, _ := netip.ParseAddr(text)
	return found.Unmap().WithZone("")
}

// Choose returns the address of a node inside the cluster: the one that its owner
// gave, if it is its own; else the one that it has had so far, or at which it was
// reached, or the only one that there is.
func (f Facts) Choose(node, given string) (netip.Addr, error) {
	if given != "" {
		wanted := parse(given)
		if !slices.Contains(f.Own, wanted) {
			return wanted, cluster.WithHint(fmt.Errorf("its cluster address %s is on none of its interfaces", given), "it has %s", f.own())
		}
		return wanted, nil
	}
	switch {
	case slices.Contains(f.Own, f.Known[node]):
		return f.Known[node], nil
	case slices.Contains(f.Own, f.Reached):
		return f.Reached, nil
	case len(f.Own) == 1:
		return f.Own[0], nil
	case len(f.Own) == 0:
		return netip.Addr{}, fmt.Errorf("it has no address by which other nodes could reach it")
	}
	return netip.Addr{}, cluster.WithHint(fmt.Errorf("it has several addresses: %s", f.own()),
		`say by which one the other nodes reach it: "cluster_address" in the JSON of the node`)
}

func (f Facts) own() string {
	var words []string
	for _, own := range f.Own {
		words = append(words, own.String())
	}
	return strings.Join(words, ", ")
}

// Node is a node with its address inside the cluster.
type Node struct {
	Name    string
	Address netip.Addr
}

// Check returns an error unless the nodes can be one cluster: no two of them have
// the same address, and all are of one version of IP (corosync.conf(5),
// ip_version).
func Check(nodes []Node) error {
	for i, node := range nodes {
		for _, other := range nodes[:i] {
			if other.Address == node.Address {
				return cluster.WithHint(fmt.Errorf("%s and %s both have the address %s", other.Name, node.Name, node.Address),
					`give each a "cluster_address" of its own; if they are one host, remove one of them`)
			}
			if other.Address.Is4() != node.Address.Is4() {
				return cluster.WithHint(fmt.Errorf("%s has the address %s and %s has %s: a cluster uses one version of IP",
					other.Name, other.Address, node.Name, node.Address), `give each a "cluster_address" of the same version`)
			}
		}
	}
	return nil
}
