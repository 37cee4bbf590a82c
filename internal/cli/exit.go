package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// The exit codes.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitNot         = 3
	exitSomeNodes   = 4
	exitNotFound    = 5
	exitLocked      = 6
	exitInterrupted = 130
)

// meaning is one row of the table of exit codes.
type meaning struct {
	code  int
	means string
}

// exitCodes is the table of exit codes that makes the reference.
func exitCodes() []meaning {
	return []meaning{
		{exitDone, "done, or there was nothing to do"},
		{exitError, "an error; standard error says which"},
		{exitUsage, "the command line or its input is not valid; nothing was changed"},
		{exitNot, "the state asked about does not hold, such as a service that does not run"},
		{exitSomeNodes, "the command failed on some nodes, which standard error names"},
		{exitNotFound, "a cluster, node or service of that name does not exist"},
		{exitLocked, "another command is changing this cluster"},
		{exitInterrupted, "interrupted by Ctrl-C or SIGTERM"},
	}
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

// Hint is that of the error.
func (e usageError) Hint() string { return cluster.HintOf(e.error) }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// stateError says that the state asked about does not hold.
type stateError struct{ error }

// someNodesError says on which nodes a command failed. What it printed there
// was shown with that of the others.
type someNodesError struct{ error }

// Hint is that of the node's error.
func (e someNodesError) Hint() string { return cluster.HintOf(e.error) }

// exitStatus passes the exit status of a remote command on; nothing is printed.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// report prints the error of a command and returns the exit code.
func (a *app) report(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	for _, each := range split(err) {
		a.reportOne(each)
	}
	return exitCode(ctx, err)
}

func exitCode(ctx context.Context, err error) int {
	var (
		usage    usageError
		invalid  *cluster.InvalidError
		notFound *cluster.NotFoundError
		state    stateError
		some     someNodesError
	)
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &invalid):
		return exitUsage
	case errors.As(err, &state):
		return exitNot
	case errors.As(err, &some):
		return exitSomeNodes
	case errors.As(err, &notFound):
		return exitNotFound
	case errors.Is(err, cluster.ErrLocked):
		return exitLocked
	}
	return exitError
}

// split takes apart an error that is nothing but several. One that says more,
// such as of fmt.Errorf with two causes, stays whole.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) == 0 || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err}
	}
	var all []error
	for _, each := range joined.Unwrap() {
		all = append(all, split(each)...)
	}
	return all
}

func (a *app) reportOne(err error) {
	a.say("%s: error: %s", name, strings.ReplaceAll(err.Error(), "\n", "\n    "))
	var output *nodegroup.OutputError
	var exit *nodegroup.ExitError
	switch {
	case errors.As(err, &output):
		a.quote("it printed last:", []byte(output.Output))
	case errors.As(err, &exit) && bytes.Count(bytes.TrimSpace(exit.Stderr), []byte("\n")) > 0:
		a.quote("its standard error:", exit.Stderr)
	}
	if hint := cluster.HintOf(err); hint != "" {
		a.say("%s: hint: %s", name, hint)
	}
}

// quote prints what a remote program printed, indented.
func (a *app) quote(title string, text []byte) {
	a.say("  %s", title)
	for line := range bytes.Lines(bytes.TrimSpace(text)) {
		a.say("    %s", bytes.TrimRight(line, "\r\n"))
	}
}
