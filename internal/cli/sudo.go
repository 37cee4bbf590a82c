package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// sudoFlag adds --ask-sudo-password to the commands that do something.
func sudoFlag(a *app, commands ...*cobra.Command) {
	for _, cmd := range commands {
		if cmd.HasSubCommands() {
			sudoFlag(a, cmd.Commands()...)
			continue
		}
		cmd.Flags().BoolVar(&a.askSudo, "ask-sudo-password", false,
			"ask on the terminal for the password that sudo wants on hosts with the engine pacemaker")
	}
}

// openTerminal opens the terminal from which the program was started.
func openTerminal() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }

// sudoPassword asks for the password of the users who log in to a cluster's
// nodes. It is not taken from the command line or the environment, which others
// on this machine can read.
func (a *app) sudoPassword(ctx context.Context, spec cluster.Spec) (string, error) {
	if !nodegroup.UsesSudo(spec) {
		return "", cluster.WithHint(
			usagef("--ask-sudo-password is for hosts that you have, with the engine pacemaker: cluster %q is of type %s with the engine %s",
				spec.Name, spec.Type, spec.Engine),
			"leave --ask-sudo-password out: sudo is not used there")
	}
	terminal, err := a.terminal()
	if err != nil {
		return "", cluster.WithHint(usagef("--ask-sudo-password: there is no terminal to ask on: %v", err),
			"run it on a terminal, or let sudo ask for no password on the nodes (NOPASSWD in sudoers)")
	}
	defer func() { _ = terminal.Close() }()
	password, err := askSecret(ctx, terminal, fmt.Sprintf("Password for sudo on the nodes of cluster %q: ", spec.Name))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("ask for the password: %w", err)
	case password == "":
		return "", usagef("--ask-sudo-password: no password was given")
	}
	return password, nil
}

// askSecret asks for a line, which the terminal does not show. (term.ReadPassword
// would show an answer that comes at once, and does not end at Ctrl-D.)
func askSecret(ctx context.Context, terminal *os.File, question string) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err == nil {
		err = hideTyping(fd)
	}
	if err != nil {
		return "", err
	}
	defer fmt.Fprintln(terminal) // which the Enter of the person did not show either
	defer func() { _ = term.Restore(fd, before) }()
	fmt.Fprint(terminal, question)
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(terminal).ReadString('\n')
		answered <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case got := <-answered:
		return strings.TrimSuffix(got.line, "\n"), got.err
	}
}

// hideTyping lets a terminal show nothing that is typed.
func hideTyping(fd int) error {
	attributes, err := unix.IoctlGetTermios(fd, getAttributes)
	if err != nil {
		return err
	}
	attributes.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, setAttributes, attributes)
}
