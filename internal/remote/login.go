package remote

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"
)

// methodPublicKey is the method of RFC 4252 section 7, the one that we have.
const methodPublicKey = "publickey"

// login is one attempt to be let in, and what the server said of it.
type login struct {
	host    Host
	asked   bool // the server named its methods: the host key was accepted
	accepts []string
	partial bool
}

// methods are all that we can do to be let in.
func (l *login) methods() []ssh.AuthMethod {
	return []ssh.AuthMethod{ssh.PublicKeys(l.host.Keys...)}
}

// observe remembers what the server would accept, and leaves the choice to ssh.
func (l *login) observe(server *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.asked = true
	l.accepts = slices.Clone(server.AllowedMethods)
	l.partial = len(server.PartialSuccessMethods) > 0
	return nil, nil
}

// explain says why a handshake failed, in particular why we were not let in.
func (l *login) explain(ctx context.Context, err error) error {
	var check *hostKeyError
	var changed *HostKeyChangedError
	switch {
	case errors.As(err, &changed):
		return changed
	case errors.As(err, &check):
		return check.error
	case !l.asked, errors.Is(err, ErrUnreachable), ctx.Err() != nil:
		return err
	}
	var keys []string
	for _, signer := range l.host.Keys {
		key := signer.PublicKey()
		keys = append(keys, key.Type()+" "+ssh.FingerprintSHA256(key))
	}
	return &AuthError{
		Node: l.host.Name, Addr: l.host.Addr, User: l.host.User,
		Keys: keys, Partial: l.partial, Methods: l.accepts, Locked: l.host.locked, Err: err, byHand: l.host.byHand(),
	}
}
