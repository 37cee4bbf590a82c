package cib

import (
	"encoding/xml"
	"fmt"
)

// glanceXPath selects what [ParseGlance] reads. Nodes are selected where somebody
// put them on standby.
const glanceXPath = "/cib | //node_state | //nodes/node[.//nvpair[@name='standby' and (@value='on' or @value='true')]]"

type glance struct {
	Root struct {
		Quorum bool   `xml:"have-quorum,attr"`
		DC     string `xml:"dc-uuid,attr"`
	} `xml:"cib"`
	Standby []glanceNode `xml:"node"`
	States  []glanceNode `xml:"node_state"`
}

type glanceNode struct {
	ID     string `xml:"id,attr"`
	Name   string `xml:"uname,attr"`
	Member string `xml:"in_ccm,attr"`
	Daemon string `xml:"crmd,attr"`
	Joined string `xml:"join,attr"`
	Remote bool   `xml:"remote_node,attr"`
}

// ParseGlance reads the output of [AskNodes]: of the state of a cluster, whether it has quorum and which nodes
// are online. That is what the CIB says, and much cheaper than crm_mon, which works
// out what it means: a node that is not online here may be that for many reasons.
func ParseGlance(text []byte) (Mon, error) {
	var seen glance
	if err := xml.Unmarshal(text, &seen); err != nil {
		return Mon{}, fmt.Errorf("read states of nodes: %w", err)
	}
	mon := Mon{DC: MonDC{Present: seen.Root.DC != "", Quorum: seen.Root.Quorum}}
	standby := map[string]bool{}
	for _, node := range seen.Standby {
		standby[node.Name] = true
	}
	for _, state := range seen.States {
		node := MonNode{ID: state.ID, Name: state.Name, Online: state.online(), Standby: standby[state.Name]}
		if state.Remote {
			node.Type = remoteType
		}
		if state.ID == seen.Root.DC {
			mon.DC.Name = state.Name
		}
		mon.Nodes = append(mon.Nodes, node)
	}
	return mon, nil
}

func (n glanceNode) online() bool {
	return n.Member == "true" && (n.Remote || n.Daemon == "online" && n.Joined == "member")
}
