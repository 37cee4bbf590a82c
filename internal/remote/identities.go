package remote

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// identities are the keys that ssh would offer to a host.
type identities struct {
	signers []ssh.Signer
	// locked are files of keys that want a passphrase which nobody gave to the
	// agent.
	locked []string
	close  func()
}

// agentPatience is for how long an agent may take to answer, and to sign: some
// ask a person.
const agentPatience = 20 * time.Second

// identities collects keys in the order of ssh: those of the agent that are
// configured too, other ones of the agent, then files (ssh_config(5),
// IdentityFile, IdentitiesOnly). Files that are not there, or hold no key that
// we can read, are passed over as ssh does.
func (o *OpenSSH) identities(ctx context.Context, settings settings) identities {
	held, hangUp := agentKeys(ctx, o.agentOf(settings))
	found := identities{close: hangUp}
	var files []ssh.Signer
	configured := map[string]bool{}
	for _, file := range settings.identityFiles {
		signers, public, locked := readIdentity(file)
		if public != nil {
			configured[string(public.Marshal())] = true
		}
		files = append(files, signers...)
		known := public != nil && slices.ContainsFunc(held, func(s ssh.Signer) bool { return sameKey(s.PublicKey(), public) })
		if locked && !known {
			found.locked = append(found.locked, file)
		}
	}
	for _, signer := range held {
		if configured[string(signer.PublicKey().Marshal())] {
			found.signers = append(found.signers, signer)
		}
	}
	for _, signer := range held {
		if !settings.identitiesOnly && !configured[string(signer.PublicKey().Marshal())] {
			found.signers = append(found.signers, signer)
		}
	}
	for _, signer := range files {
		if !slices.ContainsFunc(found.signers, func(s ssh.Signer) bool { return sameKey(s.PublicKey(), signer.PublicKey()) }) {
			found.signers = append(found.signers, signer)
		}
	}
	found.signers = append(certified(settings.certificateFiles, found.signers), found.signers...)
	return found
}

// agentOf is the socket of the agent for a host.
func (o *OpenSSH) agentOf(settings settings) string {
	switch {
	case settings.identityAgent == "" || settings.identityAgent == "SSH_AUTH_SOCK":
		return o.Agent
	case strings.HasPrefix(settings.identityAgent, "$"):
		return os.ExpandEnv(settings.identityAgent)
	}
	return settings.identityAgent
}

// agentKeys are the keys of an agent; none if it does not answer.
func agentKeys(ctx context.Context, socket string) ([]ssh.Signer, func()) {
	if socket == "" {
		return nil, func() {}
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, func() {}
	}
	_ = conn.SetDeadline(time.Now().Add(agentPatience))
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		_ = conn.Close()
		return nil, func() {}
	}
	return signers, func() { _ = conn.Close() }
}

// readIdentity reads a file with a private key, and its certificate beside it.
// The public key is known also of one that is locked by a passphrase, or that
// is a public key whose private one the agent has.
func readIdentity(file string) (signers []ssh.Signer, public ssh.PublicKey, locked bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, readPublic(file + ".pub"), false
	}
	signer, err := ssh.ParsePrivateKey(text)
	var missing *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &missing):
		public = missing.PublicKey
		if public == nil {
			public = readPublic(file + ".pub")
		}
		return nil, public, true
	case err != nil:
		return nil, readPublic(file), false
	}
	return append(certified([]string{file + "-cert.pub"}, []ssh.Signer{signer}), signer), signer.PublicKey(), false
}

func readPublic(file string) ssh.PublicKey {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return key
}

// certified are signers with the certificates of files for the keys they have.
func certified(files []string, signers []ssh.Signer) []ssh.Signer {
	var all []ssh.Signer
	for _, file := range files {
		certificate, ok := readPublic(file).(*ssh.Certificate)
		if !ok {
			continue
		}
		for _, signer := range signers {
			if !bytes.Equal(signer.PublicKey().Marshal(), certificate.Key.Marshal()) {
				continue
			}
			if with, err := ssh.NewCertSigner(certificate, signer); err == nil {
				all = append(all, with)
			}
		}
	}
	return all
}
