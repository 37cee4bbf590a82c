package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Key returns the cluster's own key pair, made on first use: the signer that
// logs in to nodes, and the line for authorized_keys. created says that this
// call made it, so no node can know it yet.
func (s *Store) Key(name string) (signer ssh.Signer, authorizedKey string, created bool, err error) {
	if err := s.exists(name); err != nil {
		return nil, "", false, err
	}
	file := s.IdentityFile(name)
	text, created, err := readOrCreate(file, func() ([]byte, error) { return newIdentity(name) })
	if err != nil {
		return nil, "", false, err
	}
	signer, err = ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, "", false, &CorruptError{File: file, Err: err,
			hint: fmt.Sprintf("delete %s: a new key is made, and has to be let in by the nodes again", file)}
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	authorizedKey = line + " " + comment(name)
	public := file + ".pub"
	if have, err := os.ReadFile(public); err != nil || string(have) != authorizedKey+"\n" {
		if err := replace(public, []byte(authorizedKey+"\n")); err != nil {
			return nil, "", false, err
		}
	}
	return signer, authorizedKey, created, nil
}

func newIdentity(name string) ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment(name))
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	return pem.EncodeToMemory(block), nil
}

func comment(name string) string { return "sirikata-cluster-" + name }

// SaveCache remembers v, as JSON in KEY.json. A key is made of a-z.
func (s *Store) SaveCache(name, key string, v any) error {
	if err := s.cacheKey(name, key); err != nil {
		return err
	}
	text, err := seal(v)
	if err != nil {
		return fmt.Errorf("cache %s of cluster %q: %w", key, name, err)
	}
	return replace(s.path(name, key+".json"), text)
}

// LoadCache fills v with what SaveCache last remembered. found is false, and v
// not to be used, if there is nothing, or nothing that this version can read:
// a cache can always be made anew.
func (s *Store) LoadCache(name, key string, v any) (found bool, err error) {
	if err := s.cacheKey(name, key); err != nil {
		return false, err
	}
	file := s.path(name, key+".json")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, explain("read", file, err)
	}
	return unseal(file, text, v) == nil, nil
}

func (s *Store) cacheKey(name, key string) error {
	if err := cleanKey(key, strings.TrimSuffix(specFile, ".json")); err != nil {
		return err
	}
	return s.exists(name)
}
