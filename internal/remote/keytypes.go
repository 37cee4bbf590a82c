package remote

import (
	"bytes"
	"slices"

	"golang.org/x/crypto/ssh"
)

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// plainKey is the key inside a certificate, or the key itself.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if certificate, ok := key.(*ssh.Certificate); ok {
		return certificate.Key
	}
	return key
}

// plainAlgorithms are those that we ask a host for of which we know nothing, as
// OpenSSH prefers them. Certificates are not among them: they expire, and a pin
// must not.
func plainAlgorithms() []string {
	return slices.Concat([]string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521},
		algorithmsOf(ssh.KeyAlgoRSA))
}

// algorithmsOf are those by which a key of that type signs. RSA has several
// (RFC 8332), the one named like the type being broken.
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}
