// Package store is the little that we remember of clusters on the operator's
// machine: what the user asked for, the keys we made, the host keys we pinned,
// and caches that save time. What runs where is never kept here: ask the
// provider and the cluster, so that a lost store loses nothing but keys.
//
// It reads no environment and takes no decision; one [Store] is one directory:
//
//	clusters/NAME/spec.json     what was asked for
//	clusters/NAME/KEY.json      caches, such as machines.json
//	clusters/NAME/id_ed25519    the private key that logs in to the nodes, and .pub
//	clusters/NAME/known_hosts   pinned host keys; written by others
//	clusters/NAME/lock          held while a command works on the cluster
//
// Start at [Open] and [Store.Create].
package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sirikata/sirikata-cluster/cluster"
)

const (
	dirMode     fs.FileMode = 0o700
	fileMode    fs.FileMode = 0o600
	specFile                = "spec.json"
	lockFile                = "lock"
	keyFile                 = "id_ed25519"
	knownHosts              = "known_hosts"
	clustersDir             = "clusters"
)

// Store is a directory with what we remember. Its methods may be called from
// many goroutines and many processes at once.
type Store struct {
	dir string
}

// Open returns the store in dir. It does no I/O: dir is made by the first
// [Store.Create].
func Open(dir string) *Store { return &Store{dir: dir} }

// Dir is the directory of the store.
func (s *Store) Dir() string { return s.dir }

// IdentityFile is the path of the private key of the cluster, in OpenSSH's PEM
// form; [Store.Key] makes it.
func (s *Store) IdentityFile(name string) string { return s.path(name, keyFile) }

// KnownHostsFile is the path of the pinned host keys of the cluster. The store
// neither reads nor writes it.
func (s *Store) KnownHostsFile(name string) string { return s.path(name, knownHosts) }

func (s *Store) path(name, file string) string {
	return filepath.Join(s.dir, clustersDir, name, file)
}

// Remove forgets the cluster, keys included. Forgetting it twice is no error.
// Hold its lock, or be the only one who works on it.
func (s *Store) Remove(name string) error {
	if err := cluster.ValidateName(name); err != nil {
		return err
	}
	dir := s.path(name, "")
	// Renamed first, so that the cluster is gone as a whole: nobody takes a new
	// lock in what is being removed, or creates a cluster that is then removed.
	// What a killed Remove left is swept by the next.
	grave := filepath.Join(s.dir, clustersDir, ".removed-"+name)
	if missing(dir) && missing(grave) {
		return nil
	}
	if err := os.MkdirAll(grave, dirMode); err != nil {
		return explain("make", grave, err)
	}
	if err := os.Rename(dir, filepath.Join(grave, rand.Text())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain("remove", dir, err)
	}
	if err := os.RemoveAll(grave); err != nil {
		return explain("remove", grave, err)
	}
	return nil
}

func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// names are the names of all clusters, sorted, readable or not.
func (s *Store) names() ([]string, error) {
	dir := filepath.Join(s.dir, clustersDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", dir, err)
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() || cluster.ValidateName(entry.Name()) != nil {
			continue
		}
		// A directory without a spec is what a killed Create left.
		if missing(s.path(entry.Name(), specFile)) {
			continue
		}
		names = append(names, entry.Name())
	}
	return names, nil
}

// exists returns nil if the cluster is known, readable or not.
func (s *Store) exists(name string) error {
	if err := cluster.ValidateName(name); err != nil {
		return err
	}
	_, err := os.Lstat(s.path(name, specFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.notFound(name)
	case err != nil:
		return explain("read", s.path(name, specFile), err)
	}
	return nil
}

func (s *Store) notFound(name string) error {
	known, _ := s.names() // only to say more
	return &cluster.NotFoundError{Kind: "cluster", Name: name, Known: known}
}

// cleanKey checks the name of a cache, which becomes a file name.
func cleanKey(key string, taken ...string) error {
	for _, t := range taken {
		if key == t {
			return fmt.Errorf("store key %q is taken", key)
		}
	}
	for _, r := range key {
		if r < 'a' || r > 'z' {
			return fmt.Errorf("store key %q: use a-z only", key)
		}
	}
	if key == "" {
		return errors.New("store key is empty")
	}
	return nil
}
