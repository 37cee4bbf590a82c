package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

// Tree is what is to be packed, as it was found: nothing of it is read again but
// the content of its files.
type Tree struct {
	dir   string
	items []item
	// Bytes is the size of all files, and Files their number.
	Bytes, Files int64
}

type item struct {
	header *tar.Header
	path   string // of the content
}

// epoch is the time of every file in a release. The time at which a tree was
// built, or copied, is none of its content, and the same tree is to be the same
// archive. 1980 and not 1970, because ZIP archives and those who read them know no
// earlier time.
func epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// Scan looks at a directory that is to be packed as a release. except is a file
// that is left out, such as the archive itself; "" is none. All that is wrong with
// the tree is one *cluster.InvalidError.
func Scan(ctx context.Context, dir, except string) (*Tree, error) {
	w := newWalk(ctx, Release())
	if info, err := os.Lstat(except); err == nil {
		w.except = info
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("look at what is to be packaged: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("look at what is to be packaged: %q is not a directory", dir)
	}
	for _, top := range w.check.rules.tops {
		if err := w.add(filepath.Join(dir, top), top); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return w.tree(dir, fmt.Sprintf("installation %q", dir))
}

// ScanCopy looks at one file or directory that is to be copied as it is.
func ScanCopy(ctx context.Context, source string) (*Tree, error) {
	w := newWalk(ctx, Copy())
	w.times = true
	if err := w.add(source, CopyName); err != nil {
		return nil, err
	}
	return w.tree(source, fmt.Sprintf("source %q", source))
}

type inode struct{ device, number uint64 }

type walk struct {
	ctx    context.Context
	check  *checker
	seen   map[inode]string // files with more than one name
	except fs.FileInfo
	times  bool
	found  Tree
}

func newWalk(ctx context.Context, rules Rules) *walk {
	return &walk{ctx: ctx, check: newChecker(rules), seen: map[inode]string{}}
}

func (w *walk) tree(dir, what string) (*Tree, error) {
	w.check.finish()
	if err := w.check.err(what); err != nil {
		return nil, err
	}
	w.found.dir = dir
	return &w.found, nil
}

// add adds what is at a path, under a name, in the order of names.
func (w *walk) add(file, name string) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if w.except != nil && os.SameFile(info, w.except) {
		return nil
	}
	header, err := w.header(file, name, info)
	if header == nil || err != nil {
		return err
	}
	w.check.entry(header)
	w.found.items = append(w.found.items, item{header, file})
	if !info.IsDir() {
		w.found.Files++
		w.found.Bytes += header.Size
		return nil
	}
	entries, err := os.ReadDir(file)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := w.add(filepath.Join(file, entry.Name()), path.Join(name, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// header describes a file in a way that depends on nothing but the tree. A socket
// has none: it is a fault.
func (w *walk) header(file, name string, info fs.FileInfo) (*tar.Header, error) {
	if info.Mode()&fs.ModeSocket != 0 {
		w.check.fault(name, "is a socket")
		return nil, nil
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if target, err = os.Readlink(file); err != nil {
			return nil, err
		}
	}
	from, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return nil, err
	}
	h := &tar.Header{Typeflag: from.Typeflag, Name: name, Linkname: target, Size: from.Size, Mode: from.Mode & 0o7777, ModTime: epoch()}
	if w.times {
		h.ModTime = info.ModTime().Truncate(time.Second)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		h.Name += "/"
		h.Mode &= directoryPermissions
	case tar.TypeSymlink:
		h.Mode = filePermissions // it has none
	case tar.TypeReg:
		w.hardLink(h, info)
	}
	return h, nil
}

// hardLink makes a file that is there already under another name a link to that.
func (w *walk) hardLink(h *tar.Header, info fs.FileInfo) {
	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok || status.Nlink < 2 {
		return
	}
	id := inode{uint64(status.Dev), status.Ino} //nolint:unconvert // its type is another one on other systems
	if first, seen := w.seen[id]; seen {
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		return
	}
	w.seen[id] = h.Name
}

// Write writes the tree as a tar archive: the same bytes for the same tree. read
// gets the number of bytes of content, as they are read; it may be nil.
func (t *Tree) Write(ctx context.Context, w io.Writer, read func(n int)) error {
	out := tar.NewWriter(w)
	buffer := make([]byte, 256<<10)
	for _, item := range t.items {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := out.WriteHeader(item.header); err != nil {
			return fmt.Errorf("pack %q: %w", item.path, err)
		}
		if item.header.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFile(ctx, out, item, buffer, read); err != nil {
			return err
		}
	}
	return out.Close()
}

func writeFile(ctx context.Context, out *tar.Writer, item item, buffer []byte, read func(n int)) error {
	file, err := os.OpenFile(item.path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	left := item.header.Size
	for left > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := file.Read(buffer[:min(int64(len(buffer)), left)])
		if n > 0 {
			if _, err := out.Write(buffer[:n]); err != nil {
				return err
			}
			left -= int64(n)
			if read != nil {
				read(n)
			}
		}
		if errors.Is(err, io.EOF) && left > 0 {
			return fmt.Errorf("pack %q: it became shorter while it was read", item.path)
		}
		if err != nil && left > 0 {
			return err
		}
	}
	// One byte more would be of a file that grew, and of which a part is no file.
	if n, _ := file.Read(buffer[:1]); n > 0 {
		return fmt.Errorf("pack %q: it became longer while it was read", item.path)
	}
	return nil
}
