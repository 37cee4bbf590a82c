package remotetest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/ssh"
)

// NewKey makes an Ed25519 key.
func NewKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return signer(t, private, err)
}

// NewECDSAKey makes a key of another type than [NewKey].
func NewECDSAKey(t testing.TB) ssh.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return signer(t, private, err)
}

func signer(t testing.TB, private any, err error) ssh.Signer {
	t.Helper()
	if err != nil {
		t.Fatalf("make key: %v", err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatalf("make key: %v", err)
	}
	return key
}
