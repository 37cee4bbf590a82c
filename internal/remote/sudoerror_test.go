package remote

import (
	"strings"
	"testing"
)

// TestSudoError has what sudo 1.9.13 of Debian 12 says, and where it is named,
// other versions.
func TestSudoError(t *testing.T) {
	const lecture = "\nWe trust you have received the usual lecture from the local System\nAdministrator. It usually boils down to these three things:\n\n" +
		"    #1) Respect the privacy of others.\n    #2) Think before you type.\n    #3) With great power comes great responsibility.\n\n"
	for name, test := range map[string]struct {
		code       int
		says       string
		fault      SudoFault
		text, hint string
	}{
		"password": {1, "sudo: a password is required\n", SudoNeedsPassword,
			"sudo asks for a password, and none was given",
			"give it: --ask-sudo-password; or let sudo ask for none, by this line in a file of /etc/sudoers.d on host1 (visudo -f): bob ALL=(ALL) NOPASSWD: ALL"},
		"wrong": {1, lecture + "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n", SudoWrongPassword,
			"sudo refused the password", "it is that of bob on host1: try again, with --ask-sudo-password"},
		"wrong, empty (1.8)": {1, "Sorry, try again.\nsudo: 2 incorrect password attempts\n", SudoWrongPassword,
			"sudo refused the password", "it is that of bob on host1: try again, with --ask-sudo-password"},
		"unknown": {1, lecture + "bob is not in the sudoers file.\n", SudoNotAllowed,
			"the user may not use sudo to run everything as root",
			"let root allow it, by this line in a file of /etc/sudoers.d on host1 (visudo -f): bob ALL=(ALL) ALL"},
		"unknown (1.8)": {1, "bob is not in the sudoers file.  This incident will be reported.\n", SudoNotAllowed, "", ""},
		"other host":    {1, "bob is not allowed to run sudo on host1.\n", SudoNotAllowed, "", ""},
		"other command": {1, "Sorry, user bob is not allowed to execute '/usr/bin/sh -c true' as root on host1.\n", SudoNotAllowed, "", ""},
		"no command":    {1, "Sorry, user bob may not run sudo on host1.\n", SudoNotAllowed, "", ""},
		"missing": {127, "sh: 3: exec: sudo: not found\n", SudoMissing,
			"sudo is not installed", "install it on host1, or log in as root"},
		"terminal": {1, "sudo: sorry, you must have a tty to run sudo\n", SudoNeedsTerminal,
			"sudo wants a terminal (requiretty)",
			"let it do without, by this line in a file of /etc/sudoers.d on host1 (visudo -f): Defaults:bob !requiretty"},
		"broken": {1, "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set\n", SudoFails,
			"sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set", ""},
		"silent": {1, "", SudoFails, "sudo failed without a reason", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := newSudoError(Host{Name: "host1", User: "bob"}, &ExitError{Code: test.code, Stderr: []byte(test.says)})
			if err.Fault != test.fault {
				t.Errorf("fault %d, not %d", err.Fault, test.fault)
			}
			if lines := strings.Split(strings.TrimSpace(test.says), "\n"); err.Said != lines[len(lines)-1] {
				t.Errorf("it said %q", err.Said)
			}
			if test.text == "" {
				return // as for the same fault above
			}
			if want := `become root on host1 as "bob": ` + test.text; err.Error() != want {
				t.Errorf("error\n got: %v\nwant: %s", err, want)
			}
			if err.Hint() != test.hint {
				t.Errorf("hint\n got: %s\nwant: %s", err.Hint(), test.hint)
			}
		})
	}
}
