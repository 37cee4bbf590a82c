package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/sirikata/sirikata-cluster/internal/archive"
)

// Copied is what was copied.
type Copied struct {
	// Path is where it is now.
	Path string `json:"path"`
	// Files are how many there are in it, and Bytes their size.
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Send writes a file or directory as a stream for [Receive]. read gets the number
// of bytes as they are read, all how many there will be; both may be nil.
func Send(ctx context.Context, source string, w io.Writer, all func(int64), read func(n int)) error {
	if strings.HasSuffix(source, "/") {
		info, err := os.Stat(source)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", strings.TrimRight(source, "/"))
		}
	}
	tree, err := archive.ScanCopy(ctx, filepath.Clean(source))
	if err != nil {
		return err
	}
	if all != nil {
		all(tree.Bytes)
	}
	// One that is cut off anywhere is no whole stream, which a tar archive may be.
	out, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	if err := tree.Write(ctx, out, read); err != nil {
		return err // without a Close: the stream is not whole
	}
	return out.Close()
}

// Target is where a source goes by the name of a destination: to that name, or, if
// that ends in a slash, into it under its own.
func Target(source, destination string) (string, error) {
	if !strings.HasSuffix(destination, "/") {
		return filepath.Clean(destination), nil
	}
	name := filepath.Base(filepath.Clean(source))
	if name == "/" || name == "." || name == ".." {
		return "", fmt.Errorf("%q has no name of its own to go to %s by: name the copy", source, destination)
	}
	return filepath.Join(destination, name), nil
}

// Receive reads a stream of [Send] and puts it at a path. A directory that is there
// is added to: files of the same name are replaced, each at once and whole, others
// stay. Missing directories above are made. When anything fails before all has
// come, nothing is changed.
func Receive(ctx context.Context, in io.Reader, target string) (copied Copied, err error) {
	above := filepath.Dir(target)
	made, err := makeAll(above)
	if err != nil {
		return copied, err
	}
	defer func() {
		if err != nil {
			removeEmpty(made)
		}
	}()
	stage, err := os.MkdirTemp(above, ".sirikata-copy-")
	if err != nil {
		return copied, err
	}
	defer func() { err = errors.Join(err, archive.Remove(stage)) }()
	decoder, err := zstd.NewReader(in)
	if err != nil {
		return copied, err
	}
	defer decoder.Close()
	content, err := archive.Unpack(ctx, decoder, archive.Copy(), stage)
	if ctx.Err() != nil {
		return copied, context.Cause(ctx)
	}
	if err != nil {
		return copied, err
	}
	root, err := os.OpenRoot(above)
	if err != nil {
		return copied, err
	}
	defer func() { _ = root.Close() }()
	if there, statErr := os.Stat(target); statErr == nil && there.IsDir() && !isDir(filepath.Join(stage, archive.CopyName)) {
		return copied, &failure{Conflict, fmt.Errorf("%s is a directory: end it with a / to copy into it", target)}
	}
	err = merge(root, filepath.Join(filepath.Base(stage), archive.CopyName), filepath.Base(target))
	return Copied{Path: target, Files: content.Files, Bytes: content.Bytes}, err
}

// makeAll makes a directory and those above it, and returns those that it made,
// the innermost first.
func makeAll(dir string) (made []string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, at)
	}
	return made, os.MkdirAll(dir, 0o755)
}

// removeEmpty removes directories that nobody has put anything in.
func removeEmpty(dirs []string) {
	for _, dir := range dirs {
		_ = os.Remove(dir)
	}
}

// isDir reports whether there is a directory, and no link to one.
func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
