package cib

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TransientXPath selects what [ParseLeftovers] reads.
const TransientXPath = "//transient_attributes"

// Leftover is a node attribute that remembers failures of a service.
type Leftover struct {
	NodeID string
	Name   string
}

// ParseLeftovers reads the output of cibadmin --query --xpath TransientXPath
// and returns what it remembers of failures of the services. Pacemaker forgets
// failures when it deletes a service from a node, but not always those of a
// start; and a service that is added again under that id would not be started
// on that node.
func ParseLeftovers(text []byte, ids []string) ([]Leftover, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	// One match is printed as itself, several are wrapped.
	var root struct {
		XMLName xml.Name
		transient
		Wrapped []transient `xml:"transient_attributes"`
	}
	if err := xml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("read transient attributes of the CIB: %w", err)
	}
	nodes := root.Wrapped
	switch root.XMLName.Local {
	case "xpath-query":
	case "transient_attributes":
		nodes = []transient{root.transient}
	default:
		return nil, fmt.Errorf("read transient attributes of the CIB: they are in an element %q", root.XMLName.Local)
	}
	var found []Leftover
	for _, node := range nodes {
		for _, set := range node.Sets {
			for _, pair := range set.Pairs {
				if isFailureOf(pair.Name, ids) {
					found = append(found, Leftover{NodeID: node.NodeID, Name: pair.Name})
				}
			}
		}
	}
	return found, nil
}

type transient struct {
	NodeID string         `xml:"id,attr"`
	Sets   []AttributeSet `xml:"instance_attributes"`
}

// isFailureOf reports whether a node attribute is the fail count, or the time of
// the last failure, of one of the services: fail-count-RESOURCE#OPERATION.
func isFailureOf(name string, ids []string) bool {
	resource, _, ok := strings.Cut(name, "#")
	for _, prefix := range []string{"fail-count-", "last-failure-"} {
		for _, id := range ids {
			if ok && resource == prefix+cluster.ResourceName(id) {
				return true
			}
		}
	}
	return false
}

// NodeName is the name of the node with that id; empty if there is none.
func (m Mon) NodeName(id string) string {
	for _, node := range m.Nodes {
		if node.ID == id {
			return node.Name
		}
	}
	return ""
}
