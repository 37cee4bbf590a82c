package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Command is what to run on a node. There is no shell in it: Argv reaches the
// program word by word.
type Command struct {
	Argv []string
	// Stdin is the command's standard input; nil is empty. When the command
	// ends without reading all of it, one Read may still be under way after Run
	// returned.
	Stdin io.Reader
	// Stdout and Stderr take what the command writes as it comes; nil collects
	// it in the Result. They are not written to after Run returned, nor both at
	// once. One that blocks holds up the command and Run.
	Stdout, Stderr io.Writer
}

// Result is what a command wrote.
type Result struct {
	Stdout, Stderr []byte
}

var (
	errNoCommand = errors.New("there is no command")
	errNUL       = errors.New("an argument holds a NUL character")
	errRefused   = errors.New("the SSH server refuses to run commands")
	errNoStatus  = errors.New("it ended without an exit status")
)

// Run runs a command and waits for its end. What it wrote until then is in the
// result on an error, too.
//
// Errors: [*ExitError] when it ran and failed; [ErrUnreachable] when the
// connection broke, so that it may run still; [net.ErrClosed] after
// [Client.Close]; what Stdin, Stdout or Stderr failed with. When the context
// ends the command is sent SIGTERM and its input and output are cut off; Run
// does not wait for its end and returns the context's cause. The command may go
// on: sshd passes no signal to a command of root, for whom it does not separate
// privileges (OpenSSH 9.2, session_signal_req), and sudo takes none from the user
// who runs it.
func (c *Client) Run(ctx context.Context, cmd Command) (Result, error) {
	return c.run(ctx, runs(cmd.Argv), cmd)
}

// Output is [Client.Run] without input, and returns what the command wrote to
// its standard output.
func (c *Client) Output(ctx context.Context, argv ...string) ([]byte, error) {
	result, err := c.Run(ctx, Command{Argv: argv})
	return result.Stdout, err
}

// run is Run with a name for messages.
func (c *Client) run(ctx context.Context, what string, cmd Command) (Result, error) {
	fail := func(err error) error { return fmt.Errorf("%s on %s: %w", what, c.host.Name, err) }
	if err := checkArgv(cmd.Argv); err != nil {
		return Result{}, fail(err)
	}
	running, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	given := c.become.command(cmd)
	streams := newStreams(given, abort)
	over := make(chan error, 1)
	go func() { over <- c.take(running, Quote(given.Argv), streams) }()
	var err error
	select {
	case err = <-over:
	case <-running.Done():
		err = running.Err()
	}
	result := streams.shut()
	code, signal, exited := ended(err)
	switch {
	case running.Err() != nil && (err != nil || ctx.Err() == nil):
		return result, fail(context.Cause(running))
	case exited:
		return result, &ExitError{
			Node: c.host.Name, Argv: cmd.Argv, Code: code, Signal: signal,
			Stdout: result.Stdout, Stderr: result.Stderr, what: what,
		}
	case err != nil:
		return result, fail(err)
	}
	return result, nil
}

func checkArgv(argv []string) error {
	if len(argv) == 0 {
		return errNoCommand
	}
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) {
			return errNUL
		}
	}
	return nil
}

// take waits for its turn and runs one line.
func (c *connection) take(ctx context.Context, line string, streams *streams) error {
	select {
	case c.sessions <- struct{}{}:
		defer func() { <-c.sessions }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.execute(ctx, line, streams)
}

// endedThere tells whether a session of SSH ended with a status.
func endedThere(err error) (code int, signal string, ok bool) {
	var exit *ssh.ExitError
	if !errors.As(err, &exit) {
		return 0, "", false
	}
	return exit.ExitStatus(), exit.Signal(), true
}

// session runs one line to its end, which comes soon after that of the context,
// if the node still answers, or with the end of the connection.
func (c *connection) session(ctx context.Context, line string, streams *streams) error {
	session, err := c.ssh.NewSession()
	if err != nil {
		return c.sessionError(err, err)
	}
	defer func() { _ = session.Close() }()
	stop := context.AfterFunc(ctx, func() {
		_ = session.Signal(ssh.SIGTERM)
		_ = session.Close()
	})
	defer stop()
	session.Stdout, session.Stderr = &streams.stdout, &streams.stderr
	input, err := session.StdinPipe()
	if err != nil {
		return err
	}
	if err := session.Start(line); err != nil {
		return c.sessionError(err, errRefused)
	}
	go streams.feed(input)
	err = session.Wait()
	var exit *ssh.ExitError
	if err == nil || errors.As(err, &exit) {
		return err
	}
	return c.sessionError(err, errNoStatus)
}

// sessionError finds out whether a session went wrong because the connection
// did; if it stands, the error is otherwise.
func (c *connection) sessionError(err, otherwise error) error {
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		return err
	}
	if c.alive() == nil {
		return otherwise
	}
	return c.gone()
}
