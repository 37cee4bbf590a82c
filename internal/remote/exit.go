package remote

import (
	"bytes"
	"errors"
	"fmt"
)

// ExitError says that a command ran on a node to its end, and failed there.
type ExitError struct {
	Node   string
	Argv   []string
	Code   int    // exit status; 128 + its number for a signal
	Signal string // without SIG; empty unless a signal ended it
	// Stdout and Stderr are all that the command wrote there; nil where
	// [Command] sent it elsewhere.
	Stdout, Stderr []byte

	what string // what the caller meant to do; empty for plain commands
}

// Error is one line with the last line of stderr, where tools say why.
func (e *ExitError) Error() string {
	what := e.what
	if what == "" {
		what = runs(e.Argv)
	}
	message := fmt.Sprintf("%s on %s: exit status %d", what, e.Node, e.Code)
	if e.Signal != "" {
		message = fmt.Sprintf("%s on %s: ended by signal %s", what, e.Node, e.Signal)
	}
	if last := lastLine(e.Stderr); len(last) > 0 {
		return fmt.Sprintf("%s: %s", message, last)
	}
	return message
}

// ExitCode is the exit status that err tells of, or 0 if no command ran to its end
// and failed.
func ExitCode(err error) int {
	var exit *ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return 0
}

// runs names a command in messages by its program alone: arguments may be long.
func runs(argv []string) string {
	if len(argv) == 0 {
		return "run nothing"
	}
	return fmt.Sprintf("run %q", argv[0])
}

// lastLine is the last line that is not blank.
func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:])
}
