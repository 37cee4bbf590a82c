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
// [HistoryXPath].
type History struct {
	started map[string]string // where the newest action shows that it runs, by id
	active  map[string]bool   // not known to be stopped on every node
	open    map[string]bool   // with an action that is not over
	tried   map[string]bool   // with a start that is over
}

// ParseHistory reads the history of services.
func ParseHistory(text []byte) (History, error) {
	h := History{started: map[string]string{}, active: map[string]bool{}, open: map[string]bool{}, tried: map[string]bool{}}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return History{}, fmt.Errorf("read history of services: %w", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "lrm_resource" {
			continue
		}
		var resource historyResource
		if err := decoder.DecodeElement(&resource, &element); err != nil {
			return History{}, fmt.Errorf("read history of services: %w", err)
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
	newest := historyOp{Call: -1}
	for _, op := range resource.Actions {
		switch {
		case op.Code == codePending:
			h.open[id] = true
			continue
		case op.Task == "start":
			h.tried[id] = true
		}
		if op.Call > newest.Call {
			newest = op
		}
	}
	switch {
	case newest.Task == "stop" && newest.Code == codeOK, newest.Task == "monitor" && newest.Code == codeNotRunning:
	case newest.Call < 0: // nothing is over
	default:
		h.active[id] = true
		if newest.Code == codeOK {
			h.started[id] = newest.Node
		}
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
	node, ok = h.started[id]
	return node, ok && !h.open[id]
}

// Tried reports whether a start of a service has come to an end on some node, and
// nothing is under way.
func (h History) Tried(id string) bool { return h.tried[id] && !h.open[id] }

// Stopped reports whether a service is known to run nowhere.
func (h History) Stopped(id string) bool { return !h.active[id] && !h.open[id] }
