package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
	"golang.org/x/crypto/ssh"
)

// pinFile is a file in the format of known_hosts (sshd(8)) whose host field is
// the name of a node: addresses change, and ssh finds the line by its option
// HostKeyAlias. Readers see a whole file at any time. Writers, of this process
// and others, take turns: without that, two that read, change and rename at the
// same time lose one of the changes.
type pinFile struct{ path string }

// pinLockWait bounds the wait for other writers, which hold the lock for as
// long as it takes to write a small file.
const (
	pinLockWait  = 10 * time.Second
	pinLockPause = 5 * time.Millisecond
)

// pin is one line. Comments and lines that are not ours have no node.
type pin struct {
	line string
	node string
	key  ssh.PublicKey
}

// get returns the pinned key of a node, or nil.
func (f pinFile) get(node string) (ssh.PublicKey, error) {
	pins, err := f.read()
	if err != nil {
		return nil, err
	}
	return find(pins, node), nil
}

// add pins a key unless the node has one, and returns the one it has now.
func (f pinFile) add(node string, key ssh.PublicKey) (ssh.PublicKey, error) {
	winner := key
	err := f.update(node, func(pins []pin) []pin {
		if known := find(pins, node); known != nil {
			winner = known
			return pins
		}
		return append(pins, newPin(node, key))
	})
	return winner, err
}

// replace pins a key in place of what the node has; nil leaves it without.
func (f pinFile) replace(node string, key ssh.PublicKey) error {
	return f.update(node, func(pins []pin) []pin {
		pins = slices.DeleteFunc(pins, func(p pin) bool { return p.node == node })
		if key == nil {
			return pins
		}
		return append(pins, newPin(node, key))
	})
}

// update changes the file by what it holds now, whoever wrote it.
func (f pinFile) update(node string, change func([]pin) []pin) error {
	if node == "" || strings.ContainsAny(node, " \t\r\n,*?!|#@[]\"") {
		return fmt.Errorf("pin host key: %q cannot name a host in known_hosts", node)
	}
	unlock, err := f.lock()
	if err != nil {
		return fmt.Errorf("pin host key of %s: %w", node, err)
	}
	defer unlock()
	before, err := f.read()
	if err != nil {
		return err
	}
	old := format(before)
	text := format(change(before))
	if bytes.Equal(old, text) {
		return nil
	}
	if err := renameio.WriteFile(f.path, text, 0o600, renameio.WithStaticPermissions(0o600)); err != nil {
		return fmt.Errorf("pin host key of %s: %w", node, err)
	}
	return nil
}

func (f pinFile) lock() (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), pinLockWait)
	defer cancel()
	lock := flock.New(f.path+".lock", flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, pinLockPause); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	return func() { _ = lock.Close() }, nil
}

// read fails on a line that it cannot understand: ignoring it would trust the
// node's next key at first sight.
func (f pinFile) read() ([]pin, error) {
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read pinned host keys: %w", err)
	}
	var pins []pin
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		p, err := parsePin(strings.TrimRight(line, "\r\n"))
		if err != nil {
			return nil, fmt.Errorf("read pinned host keys: %s:%d: %w", f.path, number, err)
		}
		pins = append(pins, p)
	}
	return pins, nil
}

func parsePin(line string) (pin, error) {
	marker, hosts, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	switch {
	case errors.Is(err, io.EOF):
		return pin{line: line}, nil
	case err != nil:
		return pin{}, err
	case marker != "":
		return pin{line: line}, nil
	}
	return pin{line: line, node: strings.Join(hosts, ","), key: key}, nil
}

func newPin(node string, key ssh.PublicKey) pin {
	key = plainKey(key)
	line := node + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	return pin{line: line, node: node, key: key}
}

func find(pins []pin, node string) ssh.PublicKey {
	for _, p := range pins {
		if p.node == node {
			return p.key
		}
	}
	return nil
}

func format(pins []pin) []byte {
	var text bytes.Buffer
	for _, p := range pins {
		text.WriteString(p.line + "\n")
	}
	return text.Bytes()
}
