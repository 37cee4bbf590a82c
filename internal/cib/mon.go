package cib

import (
	"encoding/xml"
	"fmt"
	"html"
	"strconv"
)

// Mon is the state of a cluster, from crm_mon --output-as=xml.
type Mon struct {
	XMLName   xml.Name      `xml:"pacemaker-result"`
	DC        MonDC         `xml:"summary>current_dc"`
	Options   MonOptions    `xml:"summary>cluster_options"`
	Nodes     []MonNode     `xml:"nodes>node"`
	Resources []MonResource `xml:"resources>resource"`
	History   []MonHistory  `xml:"node_history>node"`
	Failures  []MonFailure  `xml:"failures>failure"`
	Fences    []MonFence    `xml:"fence_history>fence_event"`
}

// MonDC says who decides for the cluster, if anybody.
type MonDC struct {
	Present bool   `xml:"present,attr"`
	Name    string `xml:"name,attr"`
	Quorum  bool   `xml:"with_quorum,attr"`
}

// MonOptions are the options of the cluster that change what a status means.
type MonOptions struct {
	Fencing bool `xml:"stonith-enabled,attr"`
}

// MonNode is one node.
type MonNode struct {
	ID      string `xml:"id,attr"`
	Name    string `xml:"name,attr"`
	Online  bool   `xml:"online,attr"`
	Standby bool   `xml:"standby,attr"`
	Pending bool   `xml:"pending,attr"`
	Unclean bool   `xml:"unclean,attr"`
	Type    string `xml:"type,attr"`
	Running int    `xml:"resources_running,attr"`
}

// MonResource is one resource.
type MonResource struct {
	ID      string       `xml:"id,attr"`
	Role    string       `xml:"role,attr"`
	Active  bool         `xml:"active,attr"`
	Orphan  bool         `xml:"orphaned,attr"`
	Blocked bool         `xml:"blocked,attr"`
	Failed  bool         `xml:"failed,attr"`
	Pending string       `xml:"pending,attr"` // what is being done to it, such as "Starting"
	Nodes   []MonRunning `xml:"node"`
}

// MonRunning is a node on which a resource is active.
type MonRunning struct {
	Name string `xml:"name,attr"`
}

// MonHistory is what happened on one node.
type MonHistory struct {
	Node      string               `xml:"name,attr"`
	Resources []MonResourceHistory `xml:"resource_history"`
}

// MonResourceHistory is what happened to one resource on one node.
type MonResourceHistory struct {
	ID string `xml:"id,attr"`
	// FailCount is a number, or "INFINITY" in some releases.
	FailCount  string         `xml:"fail-count,attr"`
	Threshold  string         `xml:"migration-threshold,attr"`
	Operations []MonOperation `xml:"operation_history"`
}

// MonOperation is the last call of one action.
type MonOperation struct {
	Call int    `xml:"call,attr"`
	Task string `xml:"task,attr"`
	Code int    `xml:"rc,attr"`
}

// MonFailure is an action that failed.
type MonFailure struct {
	Key    string `xml:"op_key,attr"`
	Node   string `xml:"node,attr"`
	Status string `xml:"exitstatus,attr"`
	Reason string `xml:"exitreason,attr"`
	Code   int    `xml:"exitcode,attr"`
	Call   int    `xml:"call,attr"`
	State  string `xml:"status,attr"`
	Task   string `xml:"task,attr"`
	When   string `xml:"last-rc-change,attr"` // sorts as text
	Took   int    `xml:"exec,attr"`           // milliseconds
}

// MonFence is a node that was fenced, or is to be.
type MonFence struct {
	Target string `xml:"target,attr"`
	Status string `xml:"status,attr"`
	When   string `xml:"completed,attr"` // sorts as text
}

// ParseMon reads the output of [AskMon].
func ParseMon(text []byte) (Mon, error) {
	var mon Mon
	if err := xml.Unmarshal(text, &mon); err != nil {
		return Mon{}, fmt.Errorf("read output of crm_mon: %w", err)
	}
	for i := range mon.Failures {
		// crm_mon 2.1.5 escapes reasons, and then the whole of its output.
		mon.Failures[i].Reason = html.UnescapeString(mon.Failures[i].Reason)
	}
	return mon, nil
}

// infinity is Pacemaker's largest score.
const infinity = 1000000

func score(text string) int {
	if text == "INFINITY" || text == "+INFINITY" {
		return infinity
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
