package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
)

// readUserKnown reads the user's files of known hosts, those that are there.
// Like OpenSSH it skips lines that it cannot understand, such as keys of types
// that are no longer supported; the library refuses the whole file.
func readUserKnown(paths ...string) (userKnown, error) {
	var text []byte
	var there []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return userKnown{}, fmt.Errorf("read known hosts: %w", err)
		}
		there = append(there, path)
		text = append(append(text, content...), '\n')
	}
	if len(there) == 0 {
		return userKnown{}, nil
	}
	db, err := knownhosts.NewDB(there...)
	if err != nil {
		db, err = readableLines(text)
	}
	if err != nil {
		return userKnown{}, fmt.Errorf("read known hosts: %w", err)
	}
	return userKnown{db: db}, nil
}

// readableLines reads what can be read. The library reads only files, so the
// good lines go through a temporary one.
func readableLines(text []byte) (*knownhosts.HostKeyDB, error) {
	file, err := os.CreateTemp("", "known_hosts")
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	for line := range bytes.Lines(text) {
		if _, _, _, _, _, err := ssh.ParseKnownHosts(line); err != nil && !errors.Is(err, io.EOF) {
			continue
		}
		if _, err := file.Write(line); err != nil {
			return nil, err
		}
	}
	return knownhosts.NewDB(file.Name())
}

// userKnown is the user's own known_hosts; db is nil where there is none.
type userKnown struct{ db *knownhosts.HostKeyDB }

// plain returns the first key of the address that is not an authority's.
func (u userKnown) plain(addr string) ssh.PublicKey {
	if u.db == nil {
		return nil
	}
	for _, key := range u.db.HostKeys(addr) {
		if !key.Cert {
			return key.PublicKey
		}
	}
	return nil
}
