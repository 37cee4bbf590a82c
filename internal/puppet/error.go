package puppet

import (
	"strings"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Error says that a node is not, or not wholly, configured.
type Error struct {
	Node string
	// First is the first error that Puppet wrote, on one line; or the last line
	// of what was written, when it did not come as far as that.
	First string
	// Exit holds all that was written, in Stderr.
	Exit *remote.ExitError
}

func (e *Error) Error() string { return "configure " + e.Node + ": Puppet: " + e.First }

// Unwrap returns the end of Puppet's run.
func (e *Error) Unwrap() error { return e.Exit }

// exitNotInstalled is what applyScript, as any shell, ends with when there is
// no such program.
const exitNotInstalled = 127

// Hint returns the next step where it is known.
func (e *Error) Hint() string {
	if e.Exit.Code == exitNotInstalled {
		return "install Debian's package puppet-agent on " + e.Node
	}
	return ""
}

func newError(node string, exit *remote.ExitError) *Error {
	first := firstError(string(exit.Stderr))
	if first == "" {
		first = exit.Error()
	}
	return &Error{Node: node, First: first, Exit: exit}
}

// errorMark begins an error in Puppet's output without colours.
const errorMark = "Error: "

// firstError finds the first error in what Puppet wrote: later ones are often
// only what follows from it.
func firstError(output string) string {
	last := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if message, ok := strings.CutPrefix(line, errorMark); ok {
			return message
		}
		if line != "" {
			last = line
		}
	}
	return last
}
