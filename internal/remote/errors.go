package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// What callers decide on. Both are retryable, see [Retryable].
var (
	// ErrUnreachable says that no SSH server answered, or that it fell silent:
	// every [*UnreachableError].
	ErrUnreachable = errors.New("unreachable")
	// ErrAuth says that the server let us in by no method that we have: every
	// [*AuthError].
	ErrAuth = errors.New("not authorized")
)

// Retryable reports whether the same call may succeed later without anybody
// changing anything: a node that boots refuses connections, then answers and
// still refuses keys, then lets us in. A changed host key is never retryable,
// nor is a command that failed or a context that was cancelled. After a lost
// connection a command may or may not have run: repeat only what may run twice.
func Retryable(err error) bool {
	var changed *HostKeyChangedError
	if errors.As(err, &changed) || errors.Is(err, context.Canceled) {
		return false
	}
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrAuth)
}

// UnreachableError says that a node could not be reached, or was lost. It is
// [ErrUnreachable].
type UnreachableError struct {
	Node string // its name; empty when only the address is known
	Addr string
	Lost bool // the connection stood, and broke
	Err  error

	byHand string
}

// Hint names what a person can try, where a person's ssh knows the host.
func (e *UnreachableError) Hint() string {
	if e.byHand == "" {
		return ""
	}
	return "see whether it answers you: ssh " + e.byHand
}

func (e *UnreachableError) Error() string {
	if e.Lost {
		return fmt.Sprintf("connection lost: %v", rootCause(e.Err))
	}
	return fmt.Sprintf("connect to %s: %v", where(e.Node, e.Addr), rootCause(e.Err))
}

// Is reports whether target is [ErrUnreachable].
func (e *UnreachableError) Is(target error) bool { return target == ErrUnreachable }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// AuthError says that a node's SSH server did not let us in. It is [ErrAuth].
type AuthError struct {
	Node, Addr, User string
	// Keys are the keys we had, as type and SHA256 fingerprint.
	Keys []string
	// Partial is true when a key was accepted but is not enough.
	Partial bool
	// Methods are those by which the server would go on (RFC 4252: publickey,
	// password, keyboard-interactive…).
	Methods []string
	// Locked are files of keys that need a passphrase.
	Locked []string
	Err    error

	byHand string
}

// Hint says how to be let in, where a person's ssh knows the host.
func (e *AuthError) Hint() string {
	switch {
	case len(e.Locked) > 0:
		return "a key has a passphrase; hand it to the SSH agent: ssh-add " + e.Locked[0]
	case e.byHand != "":
		return "let a key of yours in: ssh-copy-id " + e.byHand
	}
	return ""
}

func (e *AuthError) Error() string {
	return fmt.Sprintf("log in to %s as %q: %s", where(e.Node, e.Addr), e.User, e.reason())
}

func (e *AuthError) reason() string {
	var lacking []string
	byKey := false
	for _, method := range e.Methods {
		if method == methodPublicKey {
			byKey = true
			continue
		}
		lacking = append(lacking, method)
	}
	var reason string
	switch {
	case e.Partial:
		reason = "a key was accepted, but is not enough"
	case len(e.Keys) == 0:
		reason = "we have no key to offer"
	case !byKey:
		reason = "it does not accept keys"
	default:
		reason = "it refused " + strings.Join(e.Keys, ", ")
	}
	if len(lacking) > 0 {
		reason += "; it accepts " + strings.Join(lacking, ", ") + ", which we cannot do"
	}
	return reason
}

// Is reports whether target is [ErrAuth].
func (e *AuthError) Is(target error) bool { return target == ErrAuth }

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// HostKeyChangedError says that a node showed another host key than the one we
// know: it was replaced, or somebody sits between it and us. Permanent; only
// [HostKeys.Pin] ends it.
type HostKeyChangedError struct {
	Cluster        string // for the hint; may be empty
	Node, Addr     string
	Known, Offered string // SHA256 fingerprints
	OfferedKey     ssh.PublicKey

	jump bool // it is a jump host
}

func (e *HostKeyChangedError) Error() string {
	return fmt.Sprintf("host key of %s has changed: known is %s, offered was %s",
		where(e.Node, e.Addr), e.Known, e.Offered)
}

// Hint says how to accept the new key.
func (e *HostKeyChangedError) Hint() string {
	if e.jump {
		return fmt.Sprintf("if the change is expected, forget the old key and log in once: ssh-keygen -R %s; ssh %s", quoteWord(knownhosts.Normalize(e.Addr), false), e.Node)
	}
	name := e.Cluster
	if name == "" {
		name = "CLUSTER"
	}
	return fmt.Sprintf("if the change is expected, accept the new key: sirikata-cluster node trust %s %s", name, e.Node)
}

// rootCause drops what net and os add to an error that we state ourselves:
// "dial tcp 10.0.0.1:22: connect: connection refused" becomes its last part.
func rootCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	if errors.Is(err, io.EOF) {
		return errClosedByNode
	}
	return err
}

var errClosedByNode = errors.New("closed by the other side")
