package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
)

// becoming is how the commands of a client become root's.
type becoming struct {
	password string // empty where sudo asks for none
}

// plainScript runs a command under sudo. Without a shell in between, sudo itself
// would end with 1 where there is no such program, not with 127.
const plainScript = `exec "$@"`

// sealedScript runs a command whose input stands behind a password and a seal.
// sudo takes the password only where it asks for one, and it may not: because of
// NOPASSWD for some commands, or since the sudoers were changed. So all up to the
// seal is dropped here. The built-in read takes no byte too many from a pipe
// (POSIX XCU, read: of input that cannot be sought).
const sealedScript = `seal=$1
shift
while IFS= read -r line; do
	if [ "$line" = "$seal" ]; then exec "$@"; fi
done
echo "the input was cut off" >&2
exit 1
`

// sudoShell is what the shells above call themselves in their messages.
const sudoShell = "sudo-sh"

// command is cmd as it has to be run.
func (b *becoming) command(cmd Command) Command {
	switch {
	case b == nil:
		return cmd
	case b.password == "":
		cmd.Argv = append([]string{"sudo", "-n", "--", "sh", "-c", plainScript, sudoShell}, cmd.Argv...)
		return cmd
	}
	// With -k sudo asks even where it remembers the password: it is to read the
	// same lines each time.
	seal := rand.Text()
	cmd.Argv = append([]string{"sudo", "-k", "-S", "-p", "", "--", "sh", "-c", sealedScript, sudoShell, seal}, cmd.Argv...)
	head := strings.NewReader(b.password + "\n" + seal + "\n")
	if cmd.Stdin == nil {
		cmd.Stdin = head
	} else {
		cmd.Stdin = io.MultiReader(head, cmd.Stdin)
	}
	return cmd
}

// rootClient is the client of a connection that runs everything as root, once it
// was asked for.
type rootClient struct {
	turn   chan struct{} // holds a token while somebody finds out
	client *Client
	err    error // sudo's final word
}

func newRootClient() rootClient { return rootClient{turn: make(chan struct{}, 1)} }

// asRoot is a client on the same connection that runs everything as root. What
// it takes is found out once for each connection; a password that was wrong is not
// tried again on any, see [Sudo]. Errors: [*SudoError], and those of [Client.Run].
func (c *Client) asRoot(ctx context.Context) (*Client, error) {
	if c.host.Sudo == nil || c.become != nil {
		return c, nil
	}
	select {
	case c.root.turn <- struct{}{}:
		defer func() { <-c.root.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("become root on %s: %w", c.host.Name, context.Cause(ctx))
	}
	if c.root.client != nil || c.root.err != nil {
		return c.root.client, c.root.err
	}
	client, err := c.findRoot(ctx)
	var final *SudoError
	if err == nil || errors.As(err, &final) {
		c.root.client, c.root.err = client, err
	}
	return client, err
}

// rootScript says who is logged in and, unless that is root, whether sudo asks
// for a password. It speaks English, for [sudoFault].
const rootScript = `id -u
[ "$(id -u)" != 0 ] || exit 0
LC_ALL=C exec sudo -k -n -- "$@"
`

// findRoot finds out how commands become root's.
func (c *Client) findRoot(ctx context.Context) (*Client, error) {
	// What is asked for is what will be run: sudoers may allow one command and not
	// another.
	harmless := []string{"sh", "-c", plainScript, sudoShell, "true"}
	who, err := c.tryRoot(ctx, Command{Argv: append([]string{"sh", "-c", rootScript, "sh"}, harmless...)})
	var refused *SudoError
	switch {
	case err == nil && strings.TrimSpace(string(who)) == "0":
		return c, nil
	case err == nil:
		return &Client{connection: c.connection, become: &becoming{}}, nil
	case !errors.As(err, &refused), refused.Fault != SudoNeedsPassword, c.host.Sudo.Password == "":
		return nil, err
	}
	// The password alone: a second attempt, were it wrong, finds no input.
	password := c.host.Sudo.Password
	err = c.host.Sudo.try(ctx, c.host, func() error {
		_, err := c.tryRoot(ctx, Command{
			Argv:  append([]string{"env", "LC_ALL=C", "sudo", "-k", "-S", "-p", "", "--"}, harmless...),
			Stdin: strings.NewReader(password + "\n"),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Client{connection: c.connection, become: &becoming{password: password}}, nil
}

// tryRoot runs a command of which nothing but sudo can fail.
func (c *Client) tryRoot(ctx context.Context, cmd Command) (stdout []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.patience, fmt.Errorf("sudo did not end within %v", c.patience))
	defer cancel()
	result, err := c.run(ctx, "become root", cmd)
	var exit *ExitError
	if errors.As(err, &exit) {
		return nil, newSudoError(c.host, exit)
	}
	return result.Stdout, err
}
