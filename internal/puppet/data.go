package puppet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Data is all that Puppet has to know about one node. Node.Role says what it
// becomes: a full node gets Corosync and Pacemaker, a remote node Pacemaker's
// executor alone.
type Data struct {
	Node  cluster.NodeFile
	Hosts []Host // all nodes of the cluster
	// Offers is what all nodes of the cluster offer. For full nodes only.
	Offers []cluster.NodeOffer
	// Corosync is for full nodes only.
	Corosync Corosync
	// RemoteKey is secret, and any bytes: with it full nodes and remote nodes
	// know each other (pacemaker-remoted(8)).
	RemoteKey []byte
	// FenceSecret is what the fence agent proves itself with; empty if it needs
	// nothing.
	FenceSecret []byte
	// Watchdog is what sbd keeps alive; the zero value where there is no sbd.
	// WatchdogWait is for how long sbd waits before it starts: until the others know
	// that the watchdog has reset the node.
	Watchdog     cluster.Watchdog
	WatchdogWait time.Duration
	// Guard kills what runs here when the cluster loses sight of it.
	Guard bool
	// FirstCIB is the configuration of a cluster that never ran, as XML. It is
	// laid down only where Pacemaker has none. Empty for a node that joins.
	FirstCIB string
}

// Host is one node, by its name and its IP address inside the cluster.
type Host struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Corosync is what the full nodes of a cluster have in common.
type Corosync struct {
	TokenMilliseconds int // corosync.conf(5), token
	// TwoNode is for clusters of exactly two nodes: one of them alone keeps
	// quorum, but after both were down they start only together
	// (votequorum(5), two_node and wait_for_all).
	TwoNode bool
	// Realtime is whether Corosync goes before all else on its node, as it does
	// by default (corosync.conf(5), sched_rr). Not for nodes that share processors.
	Realtime bool
	// AuthKey is secret, and any bytes: 256 of them, as corosync-keygen(8) makes
	// it. Corosync takes 128 to 4096.
	AuthKey []byte
	Members []Member
}

// Member is one node in Corosync's nodelist.
type Member struct {
	ID      int    `json:"id"` // from 1; stable for the life of the node
	Name    string `json:"name"`
	Address string `json:"address"` // an IP address on one of its interfaces
}

// Sizes of Corosync's key, in bytes (TOTEM_PRIVATE_KEY_LEN_MIN and _MAX).
const (
	minAuthKey = 128
	maxAuthKey = 4096
)

// validate reports what Corosync would only complain about once it starts. What
// a value must look like is for the types of the modules to say.
func (d Data) validate() error {
	switch d.Node.Role {
	case cluster.Full:
		return errors.Join(d.Corosync.faults(d.Node.Name)...)
	case cluster.Remote:
		return nil
	}
	return fmt.Errorf("%q is not a role", d.Node.Role)
}

func (c Corosync) faults(node string) []error {
	var faults []error
	if n := len(c.AuthKey); n < minAuthKey || n > maxAuthKey {
		faults = append(faults, fmt.Errorf("the key of Corosync has %d bytes instead of %d to %d", n, minAuthKey, maxAuthKey))
	}
	if n := len(c.Members); c.TwoNode != (n == 2) {
		faults = append(faults, fmt.Errorf("two_node is %v for %d nodes", c.TwoNode, n))
	}
	if !slices.ContainsFunc(c.Members, func(m Member) bool { return m.Name == node }) {
		faults = append(faults, fmt.Errorf("%q is not among the cluster's members", node))
	}
	return faults
}

// hiera is the data as Hiera looks it up: by class and parameter. Bytes become
// base64.
func (d Data) hiera() ([]byte, error) {
	node := d.Node
	node.Capabilities = list(node.Capabilities)
	values := map[string]any{
		"sirikata::role":            d.Node.Role,
		"sirikata::node::node_file": node,
		"sirikata::hosts::hosts":    d.Hosts,
		"sirikata::remote_key::key": d.RemoteKey,
		"sirikata::guard::enabled":  d.Guard,
	}
	if d.Node.Role == cluster.Full {
		values["sirikata::candidates::nodes_file"] = cluster.NodesFile{Cluster: node.Cluster, Nodes: d.offers()}
		values["sirikata::corosync::cluster"] = d.Node.Cluster
		values["sirikata::corosync::members"] = d.Corosync.Members
		values["sirikata::corosync::token_milliseconds"] = d.Corosync.TokenMilliseconds
		values["sirikata::corosync::two_node"] = d.Corosync.TwoNode
		values["sirikata::corosync::realtime"] = d.Corosync.Realtime
		values["sirikata::corosync::authkey"] = d.Corosync.AuthKey
	}
	if len(d.FenceSecret) > 0 {
		values["sirikata::fencing::secret"] = d.FenceSecret
	}
	if d.Watchdog.Device != "" {
		values["sirikata::sbd::watchdog"] = d.Watchdog.Device
		values["sirikata::sbd::timeout_seconds"] = int(d.Watchdog.Timeout.Seconds())
		values["sirikata::sbd::delay_seconds"] = int(d.WatchdogWait.Seconds())
	}
	if d.FirstCIB != "" {
		values["sirikata::pacemaker::first_cib"] = d.FirstCIB
	}
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode Hiera data: %w", err)
	}
	return append(escapeInterpolation(text), '\n'), nil
}

func (d Data) offers() []cluster.NodeOffer {
	offers := slices.Clone(d.Offers)
	for i := range offers {
		offers[i].Capabilities = list(offers[i].Capabilities)
	}
	return offers
}

// list makes nil a list: null is none to Puppet.
func list(words []string) []string { return append([]string{}, words...) }

// escapeInterpolation keeps Hiera from replacing what looks like %{variable};
// in JSON it can only stand inside a string.
func escapeInterpolation(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("%{"), []byte("%{literal('%')}{"))
}
