package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Unfit is why a host cannot run a service, found before it is started, so that
// the reason is one for a person.
type Unfit struct {
	Kind   UnfitKind
	Reason string
}

func (u *Unfit) Error() string { return u.Reason }

// UnfitKind is a kind of such reasons.
type UnfitKind int

// The kinds of reasons.
const (
	Missing UnfitKind = iota // something is not there
	Refused                  // the user may not
	Wrong                    // something is not what it should be
)

func unfit(kind UnfitKind, format string, args ...any) error {
	return &Unfit{Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// CheckBinary returns nil or an [*Unfit]. mayExecute says whether the user may
// execute the file.
func CheckBinary(binary, user string, mayExecute func(path string) error) error {
	info, err := os.Stat(binary)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unfit(Missing, "binary %q does not exist", binary)
	case err != nil:
		return unfit(Missing, "binary %q: %v", binary, err)
	case !info.Mode().IsRegular():
		return unfit(Wrong, "binary %q is not a regular file", binary)
	case info.Mode().Perm()&0o111 == 0:
		return unfit(Refused, "binary %q is not executable", binary)
	}
	if err := mayExecute(binary); err != nil {
		return unfit(Refused, "user %q may not execute binary %q: %v", user, binary, err)
	}
	return nil
}

// CheckDirectory returns nil or an [*Unfit] for a working directory. mayEnter
// says whether the user may enter it.
func CheckDirectory(dir, user string, mayEnter func(path string) error) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unfit(Missing, "working directory %q does not exist", dir)
	case err != nil:
		return unfit(Missing, "working directory %q: %v", dir, err)
	case !info.IsDir():
		return unfit(Wrong, "working directory %q is not a directory", dir)
	}
	if err := mayEnter(dir); err != nil {
		return unfit(Refused, "user %q may not enter working directory %q: %v", user, dir, err)
	}
	return nil
}
