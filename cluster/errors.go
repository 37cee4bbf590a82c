package cluster

import (
	"errors"
	"fmt"
	"strings"
)

// Fault is one thing wrong with what the user gave.
type Fault struct {
	Field   string // empty when the whole is meant
	Problem string
}

// InvalidError says that an input is not acceptable. Nothing was changed.
type InvalidError struct {
	What   string // such as `service "space"`
	Faults []Fault
}

func (e *InvalidError) Error() string {
	parts := make([]string, 0, len(e.Faults))
	for _, fault := range e.Faults {
		if fault.Field == "" {
			parts = append(parts, fault.Problem)
			continue
		}
		parts = append(parts, fault.Field+": "+fault.Problem)
	}
	return fmt.Sprintf("invalid %s: %s", e.What, strings.Join(parts, "; "))
}

func invalid(what string, faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &InvalidError{What: what, Faults: faults}
}

// NotFoundError says that something the user named does not exist.
type NotFoundError struct {
	Kind  string   // "cluster", "node", "service"
	Name  string   // as the user gave it
	In    string   // the cluster; empty when Kind is "cluster"
	Known []string // what there is instead
}

func (e *NotFoundError) Error() string {
	if e.In == "" {
		return fmt.Sprintf("%s %q does not exist", e.Kind, e.Name)
	}
	return fmt.Sprintf("%s %q is not in cluster %q", e.Kind, e.Name, e.In)
}

// Hint names what there is instead.
func (e *NotFoundError) Hint() string {
	if len(e.Known) == 0 {
		return ""
	}
	if len(e.Known) == 1 {
		return fmt.Sprintf("the only %s is %s", e.Kind, e.Known[0])
	}
	return fmt.Sprintf("the %ss are %s", e.Kind, strings.Join(e.Known, ", "))
}

// ErrLocked says that another command works on the same cluster. Retryable.
var ErrLocked = errors.New("another command is working on this cluster")

// ErrServiceExists says that a service id is taken by another definition.
var ErrServiceExists = errors.New("the id is taken by a service with another definition")

// NodeError is an error on one node.
type NodeError struct {
	Node string // its name
	Err  error
}

func (e *NodeError) Error() string { return fmt.Sprintf("%s: %v", e.Node, e.Err) }

// Unwrap returns the cause.
func (e *NodeError) Unwrap() error { return e.Err }

// hinted is an error with the next step for the person who reads it.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// Hint returns the next step.
func (e *hinted) Hint() string { return e.hint }

// WithHint adds the next step to an error. It returns nil for a nil error.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{error: err, hint: fmt.Sprintf(format, args...)}
}

// HintOf returns the outermost hint in the tree of err, or "". Errors that can
// have one but have no words for it are passed over.
func HintOf(err error) string {
	if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
		return h.Hint()
	}
	switch wrapping := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() error }:
		return HintOf(wrapping.Unwrap())
	case interface{ Unwrap() []error }:
		for _, each := range wrapping.Unwrap() {
			if hint := HintOf(each); hint != "" {
				return hint
			}
		}
	}
	return ""
}
