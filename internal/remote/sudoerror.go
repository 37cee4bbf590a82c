package remote

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// wrongPassword reports whether err is that of a password that sudo refused.
func wrongPassword(err error) bool {
	var refused *SudoError
	return errors.As(err, &refused) && refused.Fault == SudoWrongPassword
}

// SudoFault is why sudo runs nothing for a user.
type SudoFault int

// The faults.
const (
	SudoFails         SudoFault = iota // for the reason that it gives itself
	SudoNeedsPassword                  // and none was given
	SudoWrongPassword
	SudoNotAllowed    // the user may not use it
	SudoMissing       // it is not installed
	SudoNeedsTerminal // sudoers(5), requiretty
)

// SudoError says that the user who is logged in cannot become root on a node. It
// is permanent.
type SudoError struct {
	Node, User string
	Fault      SudoFault
	Said       string // the last line that sudo printed
	// Elsewhere is the refusal of the password by another node, after which it was
	// not tried on this one; nil if it was.
	Elsewhere *SudoError
}

func (e *SudoError) Error() string {
	return fmt.Sprintf("become root on %s as %q: %s", e.Node, e.User, e.reason())
}

func (e *SudoError) reason() string {
	switch e.Fault {
	case SudoNeedsPassword:
		return "sudo asks for a password, and none was given"
	case SudoWrongPassword:
		if e.Elsewhere != nil {
			return fmt.Sprintf("sudo refused the password on %s, so it was not tried here", e.Elsewhere.Node)
		}
		return "sudo refused the password"
	case SudoNotAllowed:
		return "the user may not use sudo to run everything as root"
	case SudoMissing:
		return "sudo is not installed"
	case SudoNeedsTerminal:
		return "sudo wants a terminal (requiretty)"
	case SudoFails:
	}
	return cmp.Or(e.Said, "sudo failed without a reason")
}

// Hint says what can be done, by whom.
func (e *SudoError) Hint() string {
	switch e.Fault {
	case SudoNeedsPassword:
		return "give it: --ask-sudo-password; or let sudo ask for none, by " + e.line("%s ALL=(ALL) NOPASSWD: ALL")
	case SudoWrongPassword:
		if e.Elsewhere != nil {
			return e.Elsewhere.Hint()
		}
		return fmt.Sprintf("it is that of %s on %s: try again, with --ask-sudo-password", e.User, e.Node)
	case SudoNotAllowed:
		return "let root allow it, by " + e.line("%s ALL=(ALL) ALL")
	case SudoMissing:
		return fmt.Sprintf("install it on %s, or log in as root", e.Node)
	case SudoNeedsTerminal:
		return "let it do without, by " + e.line("Defaults:%s !requiretty")
	case SudoFails:
	}
	return ""
}

// line names a line of sudoers and the place for it.
func (e *SudoError) line(format string) string {
	return fmt.Sprintf("this line in a file of /etc/sudoers.d on %s (visudo -f): %s", e.Node, fmt.Sprintf(format, e.User))
}

// exitNoProgram is the exit status of a shell, and of env, for a program that is
// not there.
const exitNoProgram = 127

func newSudoError(host Host, exit *ExitError) *SudoError {
	return &SudoError{Node: host.Name, User: host.User, Fault: sudoFault(exit), Said: string(lastLine(exit.Stderr))}
}

// sudoFault reads what sudo says in English (sudo 1.8 and 1.9). Before them may
// stand a lecture.
func sudoFault(exit *ExitError) SudoFault {
	if exit.Code == exitNoProgram {
		return SudoMissing
	}
	for _, known := range []struct {
		says  string
		fault SudoFault
	}{
		{"you must have a tty to run sudo", SudoNeedsTerminal},
		{"is not in the sudoers file", SudoNotAllowed},
		{"is not allowed to", SudoNotAllowed}, // run sudo, or execute a command
		{"may not run sudo", SudoNotAllowed},
		{"incorrect password attempt", SudoWrongPassword},
		{"a password is required", SudoNeedsPassword},
	} {
		if strings.Contains(string(exit.Stderr), known.says) {
			return known.fault
		}
	}
	return SudoFails
}
