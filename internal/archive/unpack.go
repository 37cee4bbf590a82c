package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// Content is what an archive holds.
type Content struct {
	// Digest is the SHA-256 of the tar archive, uncompressed, in hexadecimal.
	Digest string
	// Bytes is the size of all files, and Files their number.
	Bytes, Files int64
}

// Check reads a whole tar archive and returns what it holds. What it has against
// the rules is one *cluster.InvalidError, with all faults.
func Check(ctx context.Context, r io.Reader, rules Rules) (Content, error) {
	return read(ctx, r, rules, func(string, *tar.Header, io.Reader) error { return nil })
}

// Unpack unpacks a tar archive below a directory, which is there, as the user who
// runs it. From the first entry against the rules on it only looks for more faults.
// What was unpacked until an error is left to the caller; nothing is outside of the
// directory.
func Unpack(ctx context.Context, r io.Reader, rules Rules, dir string) (Content, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Content{}, err
	}
	defer func() { _ = root.Close() }()
	u := &unpacker{root: root, buffer: make([]byte, 256<<10)}
	content, err := read(ctx, r, rules, u.entry)
	if err != nil {
		return Content{}, err
	}
	return content, u.finish()
}

// errNoTar says what a file is not.
var errNoTar = errors.New("it is not a tar archive")

func read(ctx context.Context, r io.Reader, rules Rules, each func(name string, h *tar.Header, content io.Reader) error) (Content, error) {
	check := newChecker(rules)
	digest := &meter{ctx: ctx, from: r, hash: sha256.New()}
	archive := tar.NewReader(digest)
	var all Content
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return all, tarError(err, all.Files)
		}
		name := check.entry(h)
		if h.Typeflag != tar.TypeDir {
			all.Files++
			all.Bytes += h.Size
		}
		if name == "" || len(check.faults) > 0 {
			continue // all faults, but nothing more is unpacked
		}
		if err := each(name, h, archive); err != nil {
			return all, err
		}
	}
	// What follows the end mark is part of the file, and so of its digest.
	if _, err := io.Copy(io.Discard, digest); err != nil {
		return all, err
	}
	if len(check.kinds) == 0 && len(check.faults) == 0 {
		return all, fmt.Errorf("read archive: %w: it is empty", errNoTar)
	}
	check.finish()
	all.Digest = hex.EncodeToString(digest.hash.Sum(nil))
	return all, check.err("archive")
}

func tarError(err error, before int64) error {
	switch {
	case errors.Is(err, tar.ErrHeader) && before == 0:
		return fmt.Errorf("read archive: %w", errNoTar)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read archive: it is cut off after %d files: %w", before, err)
	}
	return fmt.Errorf("read archive: %w", err)
}

// meter makes a digest of what is read, until the context ends.
type meter struct {
	ctx  context.Context
	from io.Reader
	hash hash.Hash
}

func (m *meter) Read(p []byte) (int, error) {
	if m.ctx.Err() != nil {
		return 0, context.Cause(m.ctx)
	}
	n, err := m.from.Read(p)
	_, _ = m.hash.Write(p[:n]) // it never fails
	return n, err
}

// unpacker unpacks one archive.
type unpacker struct {
	root   *os.Root
	buffer []byte
	dirs   []directory
}

// directory is one whose mode and time are set last: it may not be writable.
type directory struct {
	name string
	mode fs.FileMode
	time time.Time
}

func (u *unpacker) entry(name string, h *tar.Header, content io.Reader) error {
	if dir := path.Dir(name); dir != "." {
		if err := u.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if err := u.root.MkdirAll(name, 0o755); err != nil {
			return err
		}
		u.dirs = append(u.dirs, directory{name, mode(h), h.ModTime})
		return nil
	case tar.TypeSymlink:
		return u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return u.root.Link(path.Clean(h.Linkname), name)
	}
	return u.file(name, h, content)
}

func (u *unpacker) file(name string, h *tar.Header, content io.Reader) error {
	file, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, content, u.buffer)
	if err == nil {
		err = file.Chmod(mode(h)) // the umask has no say
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return u.root.Chtimes(name, h.ModTime, h.ModTime)
}

// finish sets modes and times of directories, those within others first.
func (u *unpacker) finish() error {
	for i := len(u.dirs) - 1; i >= 0; i-- {
		dir := u.dirs[i]
		if err := u.root.Chtimes(dir.name, dir.time, dir.time); err != nil {
			return err
		}
		if err := u.root.Chmod(dir.name, dir.mode); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes a tree, also one with directories that nobody may write to.
func Remove(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = root.Chmod(name, 0o700)
		}
		return err
	})
	if err := errors.Join(err, root.Close()); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
