// Package protocol is what the engine direct asks of sirikata-node on a node,
// and what that answers: one request and one answer, JSON on its standard input
// and output. It does no I/O.
//
// Both sides are of the same build: the engine puts its own sirikata-node on a
// node and calls that. What lies on the nodes for longer is not described here,
// but in package keeper.
package protocol

import "github.com/sirikata/sirikata-cluster/cluster"

// Subcommands of sirikata-node.
const (
	Serve = "direct" // answers a request
	Keep  = "keep"   // is the parent of one service's processes
)

// ProgramDirectory is where sirikata-node lies, below the directory of a cluster.
const ProgramDirectory = "bin"

// Action is what a node is asked to do. All but Follow may be repeated.
type Action string

// The actions.
const (
	// Look answers with the services of the node, and changes nothing.
	Look Action = "look"
	// Claim records the services without starting them, each unless its id is
	// taken on the node. Request.Claim is whose claim it is.
	Claim Action = "claim"
	// Withdraw forgets services of that claim that were not started.
	Withdraw Action = "withdraw"
	// Start starts services of that claim and waits until each has lived for a moment.
	// One that fails is forgotten. One that runs is not touched.
	Start Action = "start"
	// Restart stops services, if they run, and starts them again.
	Restart Action = "restart"
	// Remove stops services and forgets them; an unknown id is no failure.
	Remove Action = "remove"
	// Leave removes all that is kept on the node for the cluster, which must have no
	// services there.
	Leave Action = "leave"
	// Logs prints what a service printed last, instead of an answer.
	Logs Action = "logs"
	// Follow is Logs that goes on until standard input ends.
	Follow Action = "follow"
)

// Request is what one node is asked.
type Request struct {
	Action Action `json:"action"`
	// Directory holds all that is kept on the node for the cluster.
	Directory string `json:"directory"`
	// Node is what the node has to know of itself.
	Node     cluster.NodeFile  `json:"node"`
	Services []cluster.Service `json:"services,omitempty"` // Claim
	IDs      []string          `json:"ids,omitempty"`      // all but Look, Claim and Leave
	Claim    string            `json:"claim,omitempty"`
	// StartMS is how long a start may take, in milliseconds.
	StartMS int64 `json:"start_ms,omitempty"`
	Lines   int   `json:"lines,omitempty"` // Logs
}

// Answer is what a node answers.
type Answer struct {
	// UID is the user id as which the node runs services.
	UID int `json:"uid"`
	// Services are all of the node, by id; with Look.
	Services []Service `json:"services,omitempty"`
	// Warnings say what is wrong with the records of the node.
	Warnings []string `json:"warnings,omitempty"`
	// Results are in the order of what was asked for; not with Look and Leave.
	Results []Result `json:"results,omitempty"`
	// Error says why the node could do nothing at all.
	Error string `json:"error,omitempty"`
}

// Service is a service on its node.
type Service struct {
	Definition cluster.Service      `json:"definition"`
	State      cluster.ServiceState `json:"state"`
	Reason     string               `json:"reason,omitempty"`
	Run        string               `json:"run,omitempty"`
	Failures   int                  `json:"failures,omitempty"`
	// Claim is whose claim it is, of AgeMS milliseconds, while it was not started
	// yet.
	Claim string `json:"claim,omitempty"`
	AgeMS int64  `json:"age_ms,omitempty"`
}

// Result is what became of one service.
type Result struct {
	ID string `json:"id"`
	// Taken says that the id has a service on the node already.
	Taken bool `json:"taken,omitempty"`
	// Failure is why the service does not run; empty if all went well.
	Failure string `json:"failure,omitempty"`
	// Output are the last lines that it printed, with Failure.
	Output string `json:"output,omitempty"`
}
