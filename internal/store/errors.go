package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// ExistsError says that a cluster of that name exists with another definition.
type ExistsError struct {
	Name        string
	Differences []string // such as "size is 3, not 5", sorted by field
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("cluster %q exists with another definition: %s", e.Name, strings.Join(e.Differences, "; "))
}

// Hint names the next step.
func (e *ExistsError) Hint() string {
	return fmt.Sprintf("choose another name, or destroy cluster %q first", e.Name)
}

// FormatError says that a file was written by a newer version of this program.
// Permanent until the program is replaced.
type FormatError struct {
	File   string
	Format int // the file's
	Known  int // the newest that we can read
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("read %s: format %d was written by a newer version (this one knows format %d)",
		e.File, e.Format, e.Known)
}

// Hint names the next step.
func (e *FormatError) Hint() string { return "install the newer version of sirikata-cluster" }

// CorruptError says that a file was cut off or altered.
type CorruptError struct {
	File string
	Err  error
	hint string
}

func (e *CorruptError) Error() string { return fmt.Sprintf("read %s: %v", e.File, e.Err) }

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// Hint says how to mend it.
func (e *CorruptError) Hint() string { return e.hint }

// explain says what failed on which path, and what the user can do about it
// where that is known.
func explain(verb, path string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err // its path may be a temporary one; ours is what the user knows
	}
	wrapped := fmt.Errorf("%s %s: %w", verb, path, err)
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return cluster.WithHint(wrapped, "see who owns it with ls -la %s; it must belong to you", dir)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return cluster.WithHint(wrapped, "make room on its file system (df -h %s), then run the command again", dir)
	case errors.Is(err, syscall.EROFS):
		return cluster.WithHint(wrapped, "its file system is read-only; set SIRIKATA_CLUSTER_HOME to a directory that can be written")
	}
	return wrapped
}
