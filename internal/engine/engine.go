// Package engine is the contract of those who run services on the nodes of a
// cluster: add, remove, restart, list, status, logs. How nodes came to be is
// none of its business.
package engine

import (
	"context"
	"io"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Engine runs services on one cluster. Any number of callers may use engines of
// one cluster at the same time, from any machine. Every method may be called
// again after it was killed. All wait no longer than ctx does and then say what
// they still waited for.
type Engine interface {
	// Add adds all services in one transaction and waits until each runs. One
	// that exists with the same definition is not touched, and waited for all
	// the same; with another definition it is cluster.ErrServiceExists and
	// nothing is added. Services that do not start, or not before ctx ends, are
	// removed again, and named in the error with the reason; the others stay.
	Add(ctx context.Context, services []cluster.Service) ([]Added, error)
	// Remove removes the services and returns when their processes are gone. An
	// id that does not exist is a *cluster.NotFoundError, and nothing is removed.
	Remove(ctx context.Context, ids []string) error
	// Restart forgets the failures of the services, restarts them and waits
	// until each runs again.
	Restart(ctx context.Context, ids []string) ([]Added, error)
	// Refill gives services that may run on any node other nodes instead of those
	// that are gone or lost, as far as there are any. It moves nothing that runs.
	Refill(ctx context.Context) error
	// Services returns the definitions of all services by id.
	Services(ctx context.Context) ([]cluster.Service, error)
	// Status returns the state of the nodes and services, as soon as it can be had.
	Status(ctx context.Context) (cluster.Status, error)
	// Examine is a Status that also says who really votes, and warns of what the
	// cluster takes of a node beyond what it should; then it takes 2 s longer.
	Examine(ctx context.Context) (cluster.Status, error)
	// Past returns which indexes of nodes the cluster has used; empty if it does
	// not know.
	Past(ctx context.Context) (cluster.Past, error)
	// Logs writes the last lines that a service printed, and with follow those
	// that it prints from then on, until ctx ends, which is not an error.
	Logs(ctx context.Context, id string, lines int, follow bool, w io.Writer) error
}

// Added is a service that runs now.
type Added struct {
	ID      string
	Node    string
	Took    time.Duration // from the command to running
	Already bool          // it was there before, with the same definition
}

// OutputError is an error of a service together with what it printed last.
type OutputError struct {
	Err    error
	Output string // lines
}

func (e *OutputError) Error() string { return e.Err.Error() }

// Unwrap returns the error without the output.
func (e *OutputError) Unwrap() error { return e.Err }
