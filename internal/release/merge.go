package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/sirikata/sirikata-cluster/internal/archive"
)

// inPlaceName is the directory for what is on its way to a directory without
// releases. It has another name than theirs, or what a killed install left would
// look like releases.
const inPlaceName = ".sirikata-incoming"

// inPlace unpacks a stream over what is there.
func (s store) inPlace(ctx context.Context, r Request, in io.Reader) error {
	err := s.receive(ctx, r, in, func(stage string) error {
		root, err := os.OpenRoot(s.path)
		if err != nil {
			return err
		}
		defer func() { _ = root.Close() }()
		name := filepath.Join(s.area, filepath.Base(stage))
		for _, top := range archive.Release().Tops() {
			if err := merge(root, path.Join(name, top), top); err != nil {
				return err
			}
		}
		return nil
	})
	if known := new(failure); errors.As(err, &known) && (known.fault == CutOff || known.fault == Moved) {
		return err
	}
	return errors.Join(err, archive.Remove(s.within()))
}

// merge moves a file or directory to another name. Directories that are there
// already stay, with what else is in them; files are replaced, each at once and
// whole. Nothing is moved if one cannot be: a file where a directory is to go, or
// the other way round, or a link.
func merge(root *os.Root, from, to string) error {
	if err := walk(root, from, to, conflict); err != nil {
		return err
	}
	return walk(root, from, to, move)
}

// walk calls do for each file and directory and where it is to go.
func walk(root *os.Root, from, to string, do func(root *os.Root, from, to string, entry fs.FileInfo) error) error {
	info, err := root.Lstat(from)
	if err != nil {
		return err
	}
	if err := do(root, from, to, info); err != nil || !info.IsDir() {
		return err
	}
	dir, err := root.Open(from)
	if errors.Is(err, fs.ErrNotExist) { // moved as a whole
		return nil
	}
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := walk(root, path.Join(from, entry.Name()), path.Join(to, entry.Name()), do); err != nil {
			return err
		}
	}
	return nil
}

func conflict(root *os.Root, _, to string, entry fs.FileInfo) error {
	there, err := root.Lstat(to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if there.IsDir() && entry.IsDir() {
		return mayWrite(filepath.Join(root.Name(), to))
	}
	if there.IsDir() == entry.IsDir() {
		return nil
	}
	return &failure{Conflict, fmt.Errorf("%s is %s, and a %s is to go there; nothing was changed",
		filepath.Join(root.Name(), to), kindOf(there), map[bool]string{true: "directory", false: "file"}[entry.IsDir()])}
}

// mayWrite asks the kernel before anything is moved.
func mayWrite(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &failure{Conflict, fmt.Errorf("write to %s: %w; nothing was changed", dir, err)}
	}
	return nil
}

func kindOf(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "a directory"
	case info.Mode()&fs.ModeSymlink != 0:
		return "a link"
	}
	return "a file"
}

func move(root *os.Root, from, to string, entry fs.FileInfo) error {
	if _, err := root.Lstat(to); err == nil && entry.IsDir() {
		// To move out of a directory one must be able to write to it.
		return root.Chmod(from, 0o700)
	}
	if entry.IsDir() && entry.Mode()&0o200 == 0 {
		// rename(2) changes "..", which is in the directory.
		if err := root.Chmod(from, entry.Mode()|0o200); err != nil {
			return err
		}
		defer func() { _ = root.Chmod(to, entry.Mode()) }()
	}
	return root.Rename(from, to)
}
