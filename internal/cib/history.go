package cib

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// HistoryXPath selects what [ParseHistory] reads: what every node remembers of the
// services. The ids must be valid, which leaves nothing in them to quote.
func HistoryXPath(ids []string) string {
	return "//lrm_resource[" + resourceTests(ids) + "]"
}

// resourceTests is true of the elements that are named as the services' resources.
func resourceTests(ids []string) string {
	tests := make([]string, 0, len(ids))
	for _, id := range ids {
		tests = append(tests, "@id='"+cluster.ResourceName(id)+"'")
	}
	return strings.Join(tests, " or ")
}

// History is what became of services, from cibadmin --query --xpath
// [HistoryXPath], by their ids.
type History map[string]*past

// past is what became of one service, on all nodes.
type past struct {
	started string // where the newest action shows that it runs
	active  bool   // it is not known to be stopped on every node
	open    bool   // an action is not over
	tried   bool   // a start is over
}

// ParseHistory reads the history of services.
func ParseHistory(text []byte) (History, error) {
	h := History{}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read history of services: %w", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "lrm_resource" {
			continue
		}
		var resource historyResource
		if err := decoder.DecodeElement(&resource, &element); err != nil {
			return nil, fmt.Errorf("read history of services: %w", err)
		}
		h.add(resource)
	}
}

type historyResource struct {
	ID      string      `xml:"id,attr"`
	Actions []historyOp `xml:"lrm_rsc_op"`
}

type historyOp struct {
	Task string `xml:"operation,attr"`
	Code int    `xml:"rc-code,attr"`
	Call int    `xml:"call-id,attr"`
	Node string `xml:"on_node,attr"`
}

// add takes in what one node remembers of one service.
func (h History) add(resource historyResource) {
	id, _ := cluster.ServiceIDOf(resource.ID)
	if h[id] == nil {
		h[id] = &past{}
	}
	newest := historyOp{Call: -1}
	for _, op := range resource.Actions {
		switch {
		case op.Code == codePending:
			h[id].open = true
			continue
		case op.Task == "start":
			h[id].tried = true
		}
		if op.Call > newest.Call {
			newest = op
		}
	}
	stopped := newest.Task == "stop" && newest.Code == codeOK || newest.Task == "monitor" && newest.Code == codeNotRunning
	if newest.Call < 0 || stopped {
		return
	}
	h[id].active = true
	if newest.Code == codeOK {
		h[id].started = newest.Node
	}
}

// Exit codes of actions (Resource Agent API 1.1, return codes).
const (
	codeOK         = 0
	codeNotRunning = 7
)

// Started is the node on which a service that did not exist before runs; false
// if it is not known to run.
func (h History) Started(id string) (node string, ok bool) {
	p := h.of(id)
	return p.started, p.started != "" && !p.open
}

// Tried reports whether a start of a service has come to an end on some node, and
// nothing is under way.
func (h History) Tried(id string) bool {
	p := h.of(id)
	return p.tried && !p.open
}

// Stopped reports whether a service is known to run nowhere.
func (h History) Stopped(id string) bool {
	p := h.of(id)
	return !p.active && !p.open
}

func (h History) of(id string) past {
	if p := h[id]; p != nil {
		return *p
	}
	return past{}
}
