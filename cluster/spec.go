package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type says where the nodes of a cluster come from.
type Type string

// The types of clusters.
const (
	Local Type = "local" // containers on this machine
	AdHoc Type = "adhoc" // hosts that the user already has
	EC2   Type = "ec2"   // Amazon EC2 instances
)

// Engine says how services run on a cluster.
type Engine string

// The engines.
const (
	Pacemaker Engine = "pacemaker" // Corosync and Pacemaker, with failover
	Direct    Engine = "direct"    // pid files over SSH, without failover
)

// MaxSize is the largest number of nodes a cluster may have, those that were
// removed counted: the addresses of local ones come from a /24, by index, from
// .10 on, and with 240 they end at .249.
const MaxSize = 240

// Spec is what the user asked for when the cluster was created. It is all that
// a second operator needs to see the same cluster.
type Spec struct {
	Name         string       `json:"name"`
	Type         Type         `json:"type"`
	Engine       Engine       `json:"engine"`
	Size         int          `json:"size"`
	TokenProfile TokenProfile `json:"token_profile"`
	// FullNodes is how many of the nodes vote, see [Spec.WantedFull]; 0 leaves
	// it to the size.
	FullNodes int `json:"full_nodes,omitempty"`
	// Fencing is whether a node that is lost is switched off before its services
	// start elsewhere. Without it they may run twice.
	Fencing bool `json:"fencing"`
	// Removed are the indexes of nodes that were given up for good. No other
	// node gets one of them while the cluster lives: what still believes in the
	// old node must never take a new one for it.
	Removed []int `json:"removed,omitempty"`

	// Hosts are the nodes of an ad-hoc cluster, by index.
	Hosts []Host `json:"hosts,omitempty"`
	// LoginUser is the user that SSH logs in as; empty means root.
	LoginUser string `json:"login_user,omitempty"`
	// ServiceUser runs the services that name no user of their own.
	ServiceUser string `json:"service_user"`
	// SirikataPath is where releases are synced to on every node.
	SirikataPath string `json:"sirikata_path"`
	// WorkingPath is the working directory of services that name none.
	WorkingPath string `json:"working_path"`
	// WorkspacePath is scratch space that is not cleaned up at a reboot.
	WorkspacePath string `json:"workspace_path"`
	// Capabilities are the words that each node, by name, offers.
	Capabilities map[string][]string `json:"capabilities,omitempty"`
}

// MaxFull is the largest number of full nodes: each of them sends to all others
// and keeps the whole configuration. The other nodes of a larger cluster are
// remote nodes, which cost the cluster one connection each.
const MaxFull = 7

// defaultFull is the number of full nodes of a cluster that is larger than
// MaxFull: two of them may be lost.
const defaultFull = 5

// WantedFull is the number of full nodes that the cluster should have.
func (s Spec) WantedFull() int {
	switch {
	case s.FullNodes > 0:
		return min(s.FullNodes, s.Size)
	case s.Size > MaxFull:
		return defaultFull
	}
	return s.Size
}

// dnsLabel is RFC 1123 §2.1: letters, digits and hyphens, 63 at most, no
// hyphen at either end. Upper case is refused because host names fold it.
var dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ValidateName reports whether name can name a cluster: it becomes part of
// host names, so it must be a DNS label (RFC 1123).
func ValidateName(name string) error {
	return invalid("cluster name", nameFaults("", name))
}

func nameFaults(field, name string) []Fault {
	if dnsLabel.MatchString(name) {
		return nil
	}
	return []Fault{{Field: field, Problem: fmt.Sprintf(
		"%q is not a DNS label: use 1 to 63 of a-z, 0-9 and -, with no - at either end", name)}}
}

// Validate returns every fault of the spec at once, as an [*InvalidError].
func (s Spec) Validate() error {
	faults := nameFaults("name", s.Name)
	if s.Size < 1 || s.Size > MaxSize {
		faults = append(faults, Fault{Field: "size",
			Problem: fmt.Sprintf("%d is out of range: a cluster has 1 to %d nodes", s.Size, MaxSize)})
	}
	faults = append(faults, s.removedFaults()...)
	if s.Type == AdHoc {
		faults = append(faults, s.hostFaults()...)
	}
	if _, err := s.TokenProfile.Token(); err != nil && s.Engine != Direct {
		faults = append(faults, Fault{Field: "token-profile", Problem: err.Error()})
	}
	if n := s.FullNodes; n != 0 && (n < 3 || n > MaxFull || n%2 == 0) {
		faults = append(faults, Fault{Field: "full-nodes", Problem: fmt.Sprintf(
			"%d is not possible: use 3, 5 or %d; an even number tolerates no more losses than the odd one below it", n, MaxFull)})
	}
	faults = append(faults, s.capabilityFaults()...)
	return invalid(fmt.Sprintf("cluster %q", s.Name), faults)
}

// Indexes are those of the nodes that the cluster is to have, in order: the
// lowest Size ones that were not removed.
func (s Spec) Indexes() []int {
	removed := make(map[int]bool, len(s.Removed))
	for _, index := range s.Removed {
		removed[index] = true
	}
	var indexes []int
	for index := 0; len(indexes) < s.Size; index++ {
		if !removed[index] {
			indexes = append(indexes, index)
		}
	}
	return indexes
}

// removedFaults says which removed indexes are none, and whether they leave
// enough for the size.
func (s Spec) removedFaults() []Fault {
	var faults []Fault
	seen := make(map[int]bool, len(s.Removed))
	for _, index := range s.Removed {
		if index < 0 || index >= MaxSize {
			faults = append(faults, Fault{Field: "removed",
				Problem: fmt.Sprintf("%d is not the index of a node: they are 0 to %d", index, MaxSize-1)})
		} else if seen[index] {
			faults = append(faults, Fault{Field: "removed", Problem: fmt.Sprintf("%d stands there twice", index)})
		}
		seen[index] = true
	}
	if len(faults) == 0 && s.Size <= MaxSize && len(s.Removed)+s.Size > MaxSize {
		faults = append(faults, Fault{Field: "size", Problem: fmt.Sprintf(
			"%d and %d nodes that were removed are more than the %d that a cluster may have in its life",
			s.Size, len(s.Removed), MaxSize)})
	}
	return faults
}

// NodeName is the name of the node with that index, where the provider does not
// give nodes names of their own.
func NodeName(index int) string { return "node" + strconv.Itoa(index) }

// NodeIndex is the index of the node with that name; -1 if [NodeName] did not make
// it.
func NodeIndex(name string) int {
	digits, ours := strings.CutPrefix(name, "node")
	index, err := strconv.Atoi(digits)
	if !ours || err != nil || name != NodeName(index) {
		return -1
	}
	return index
}

// capabilityFaults says which capabilities are of nodes that the cluster will
// not have, or are no words.
func (s Spec) capabilityFaults() []Fault {
	names := map[string]bool{}
	if s.Size <= MaxSize { // another fault says that it is not
		for _, index := range s.Indexes() {
			names[NodeName(index)] = true
		}
	}
	var faults []Fault
	for _, node := range slices.Sorted(maps.Keys(s.Capabilities)) {
		if _, known := s.Host(node); s.Type == AdHoc && !known {
			faults = append(faults, Fault{Field: "capability", Problem: fmt.Sprintf("there is no node %q", node)})
		}
		if s.Type == Local && s.Size <= MaxSize && !names[node] {
			faults = append(faults, Fault{Field: "capability",
				Problem: fmt.Sprintf("%q will not be a node of a cluster of %d", node, s.Size)})
		}
		for _, capability := range s.Capabilities[node] {
			if !word.MatchString(capability) {
				faults = append(faults, Fault{Field: "capability",
					Problem: fmt.Sprintf("%q of %s: use letters, digits, _ . and -", capability, node)})
			}
		}
	}
	return faults
}

// TokenProfile says how fast Corosync declares a silent node dead: "lan",
// "cloud", or the token time-out in milliseconds as a decimal number.
type TokenProfile string

// The named token profiles.
const (
	LAN   TokenProfile = "lan"   // one switch, or one machine
	Cloud TokenProfile = "cloud" // virtual machines that may be paused for a moment
)

// minToken and maxToken bound a token time-out given as a number. Below 200 ms
// a busy scheduler alone makes nodes look dead; above 60 s nothing fails over
// in a time that anybody waits.
const (
	minToken = 200 * time.Millisecond
	maxToken = time.Minute
)

// Token is the totem token time-out (corosync.conf(5), token).
func (p TokenProfile) Token() (time.Duration, error) {
	switch p {
	case LAN:
		return time.Second, nil
	case Cloud:
		return 5 * time.Second, nil
	}
	ms, err := strconv.Atoi(string(p))
	if err != nil || ms < int(minToken.Milliseconds()) || ms > int(maxToken.Milliseconds()) {
		return 0, fmt.Errorf("%q is not a token profile: use lan, cloud, or %d to %d milliseconds",
			string(p), minToken.Milliseconds(), maxToken.Milliseconds())
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// Detection is the time from a node's death to the moment the others agree on
// it: the token time-out and then the consensus time-out, which is 1.2 times
// as long (corosync.conf(5), consensus). It is 0 for an invalid profile.
func (p TokenProfile) Detection() time.Duration {
	token, err := p.Token()
	if err != nil {
		return 0
	}
	return token + token*12/10
}
