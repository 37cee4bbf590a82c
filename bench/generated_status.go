package main

import (
	"crypto/md5" //nolint:gosec // what Pacemaker uses
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// featureSet is the one of Pacemaker 2.1.5.
const featureSet = "3.16.1"

// The status section, as far as the scheduler reads it.
type (
	statusSection struct {
		XMLName xml.Name    `xml:"status"`
		Nodes   []nodeState `xml:"node_state"`
	}
	nodeState struct {
		ID         string     `xml:"id,attr"`
		Name       string     `xml:"uname,attr"`
		InCCM      bool       `xml:"in_ccm,attr"`
		Online     string     `xml:"crmd,attr,omitempty"`
		Join       string     `xml:"join,attr,omitempty"`
		Expected   string     `xml:"expected,attr,omitempty"`
		RemoteNode bool       `xml:"remote_node,attr,omitempty"`
		Fenced     string     `xml:"node_fenced,attr,omitempty"`
		LRM        lrm        `xml:"lrm"`
		Transient  transients `xml:"transient_attributes"`
	}
	transients struct {
		ID         string    `xml:"id,attr"`
		Attributes attribute `xml:"instance_attributes"`
	}
	attribute struct {
		ID string `xml:"id,attr"`
	}
	lrm struct {
		ID        string    `xml:"id,attr"`
		Resources []history `xml:"lrm_resources>lrm_resource"`
	}
	history struct {
		ID       string      `xml:"id,attr"`
		Class    string      `xml:"class,attr"`
		Provider string      `xml:"provider,attr,omitempty"`
		Type     string      `xml:"type,attr"`
		Actions  []operation `xml:"lrm_rsc_op"`
	}
	operation struct {
		ID         string `xml:"id,attr"`
		Key        string `xml:"operation_key,attr"`
		Name       string `xml:"operation,attr"`
		FeatureSet string `xml:"crm_feature_set,attr"`
		Transition string `xml:"transition-key,attr"`
		Magic      string `xml:"transition-magic,attr"`
		Node       string `xml:"on_node,attr"`
		Call       int    `xml:"call-id,attr"`
		Code       int    `xml:"rc-code,attr"`
		Status     int    `xml:"op-status,attr"`
		Interval   int64  `xml:"interval,attr"`
		Changed    int    `xml:"last-rc-change,attr"`
		Took       int    `xml:"exec-time,attr"`
		Queued     int    `xml:"queue-time,attr"`
		Digest     string `xml:"op-digest,attr"`
	}
)

// Exit codes of an agent.
const (
	codeOK         = 0
	codeNotRunning = 7
)

func (g generated) status(resources []placed) (string, error) {
	var section statusSection
	for i := range g.nodes {
		section.Nodes = append(section.Nodes, g.state(i))
	}
	for _, resource := range resources {
		for rank, i := range resource.nodes {
			list := &section.Nodes[i].LRM.Resources
			*list = append(*list, resource.history(cluster.NodeName(i), rank == 0))
		}
	}
	text, err := xml.Marshal(section)
	return string(text), err
}

func (g generated) state(i int) nodeState {
	name := cluster.NodeName(i)
	state := nodeState{ID: name, Name: name, InCCM: true, RemoteNode: true, Fenced: "0"}
	if i < g.full {
		state = nodeState{ID: fmt.Sprint(i + 1), Name: name, InCCM: true, Online: "online", Join: "member", Expected: "member"}
	}
	state.LRM.ID = state.ID
	state.Transient = transients{ID: state.ID, Attributes: attribute{ID: "status-" + state.ID}}
	return state
}

// history is what a node remembers of a resource that runs there and is
// monitored, or was looked for and not found.
func (p placed) history(node string, runs bool) history {
	h := history{ID: p.ID, Class: p.Class, Provider: p.Provider, Type: p.Type}
	if !runs {
		h.Actions = []operation{p.did(node, "monitor", "0s", "", codeNotRunning)}
		return h
	}
	h.Actions = []operation{p.did(node, "start", "0s", "", codeOK)}
	for _, op := range p.Operations {
		if op.Name == "monitor" {
			h.Actions = append(h.Actions, p.did(node, op.Name, op.Interval, op.Timeout, codeOK))
		}
	}
	return h
}

// did is the record of one action.
func (p placed) did(node, action, interval, timeout string, code int) operation {
	const transition = "1:1:%d:00000000-0000-4000-8000-000000000000"
	key := fmt.Sprintf("%s_%s_%d", p.ID, action, milliseconds(interval))
	entry := key
	if milliseconds(interval) == 0 {
		entry = p.ID + "_last_0"
	}
	call := 1
	if interval != "0s" {
		call = 2 // what recurs began after the start
	}
	expected := fmt.Sprintf(transition, code)
	return operation{ID: entry, Key: key, Name: action, FeatureSet: featureSet, Transition: expected,
		Magic: fmt.Sprintf("0:%d;%s", code, expected), Node: node, Call: call, Code: code,
		Interval: milliseconds(interval), Changed: 1700000000, Took: 20, Digest: p.digest(timeout)}
}

func milliseconds(interval string) int64 {
	d, _ := time.ParseDuration(interval)
	return d.Milliseconds()
}

// digest is how Pacemaker tells whether the parameters of an action have changed:
// the MD5 of an XML element of them, as it writes it. Without, it would start
// everything anew. The time-out counts for actions that recur.
func (p placed) digest(timeout string) string {
	pairs := slices.Clone(p.Instance.Pairs)
	if timeout != "" {
		pairs = append(pairs, cib.Attribute{Name: "CRM_meta_timeout", Value: fmt.Sprint(milliseconds(timeout))})
	}
	slices.SortFunc(pairs, func(a, b cib.Attribute) int { return strings.Compare(a.Name, b.Name) })
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
	text := " <parameters"
	for _, pair := range pairs {
		text += fmt.Sprintf(` %s="%s"`, pair.Name, escape.Replace(pair.Value))
	}
	return fmt.Sprintf("%x", md5.Sum([]byte(text+"/>\n"))) //nolint:gosec // no secret
}
