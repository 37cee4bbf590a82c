package puppet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Data is all that Puppet has to know about one node.
type Data struct {
	Node     cluster.NodeFile
	Corosync Corosync
	// FirstCIB is the configuration of a cluster that never ran, as XML. It is
	// laid down only where Pacemaker has none. Empty for a node that joins.
	FirstCIB string
}

// Corosync is what every node of a cluster has in common.
type Corosync struct {
	ClusterName       string
	TokenMilliseconds int // corosync.conf(5), token
	// TwoNode is for clusters of exactly two nodes: one of them alone keeps
	// quorum, but after both were down they start only together
	// (votequorum(5), two_node and wait_for_all).
	TwoNode bool
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
	var faults []error
	if n := len(d.Corosync.AuthKey); n < minAuthKey || n > maxAuthKey {
		faults = append(faults, fmt.Errorf("the key of Corosync has %d bytes instead of %d to %d", n, minAuthKey, maxAuthKey))
	}
	if n := len(d.Corosync.Members); d.Corosync.TwoNode != (n == 2) {
		faults = append(faults, fmt.Errorf("two_node is %v for %d nodes", d.Corosync.TwoNode, n))
	}
	known := false
	for _, member := range d.Corosync.Members {
		known = known || member.Name == d.Node.Name
	}
	if !known {
		faults = append(faults, fmt.Errorf("%q is not among the cluster's members", d.Node.Name))
	}
	return errors.Join(faults...)
}

// hiera is the data as Hiera looks it up: by class and parameter.
func (d Data) hiera() ([]byte, error) {
	node := d.Node
	if node.Capabilities == nil {
		node.Capabilities = []string{} // null is no list
	}
	values := map[string]any{
		"sirikata::cluster":                      d.Corosync.ClusterName,
		"sirikata::members":                      d.Corosync.Members,
		"sirikata::node::node_file":              node,
		"sirikata::corosync::token_milliseconds": d.Corosync.TokenMilliseconds,
		"sirikata::corosync::two_node":           d.Corosync.TwoNode,
		"sirikata::corosync::authkey":            d.Corosync.AuthKey, // as base64
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

// escapeInterpolation keeps Hiera from replacing what looks like %{variable};
// in JSON it can only stand inside a string.
func escapeInterpolation(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("%{"), []byte("%{literal('%')}{"))
}
