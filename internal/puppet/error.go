package puppet

import (
	"regexp"
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
	if strings.Contains(e.First, wouldRemove) {
		return hintWouldRemove
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

// What Puppet writes without colours: an error; a line that a command of an
// exec resource wrote; and how the error of such a command ends.
var (
	errorLine  = regexp.MustCompile(`^Error: (.+)$`)
	outputLine = regexp.MustCompile(`^Notice: .*/Exec\[(.+)\]/returns: (.+)$`)
	failedExec = regexp.MustCompile(` returned \d+ instead of one of \[0\]$`)
)

// firstError finds the first error in what Puppet wrote: later ones often only
// follow from it. For a command that failed it is the last line of what that
// wrote; the error itself is only the command.
func firstError(output string) string {
	said, last := "", ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if found := outputLine.FindStringSubmatch(line); found != nil {
			said = found[1] + ": " + found[2]
		}
		if found := errorLine.FindStringSubmatch(line); found != nil {
			if said != "" && failedExec.MatchString(line) {
				return said
			}
			return found[1]
		}
		if line != "" {
			last = line
		}
	}
	return last
}
