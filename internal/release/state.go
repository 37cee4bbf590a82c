package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sirikata/sirikata-cluster/internal/archive"
)

const (
	releasesName = ".releases"
	currentName  = "current"
	newName      = "new"      // a release that is being unpacked
	incomingName = "incoming" // of a stream, as much as came
	lockName     = "lock"
	// Keep is how many releases stay, those in use aside.
	Keep = 3
)

// Fault is why a node cannot do what it is asked.
type Fault string

// The faults that the operator's side has words for; others have only a reason.
const (
	Foreign  Fault = "foreign"  // the directory holds files that are not ours
	NoSpace  Fault = "no space" // on the file system
	CutOff   Fault = "cut off"  // the stream ended too soon; what came is kept
	Moved    Fault = "moved"    // the stream must begin at another offset, see State
	Conflict Fault = "conflict" // something else is where a file or directory is to go
	Failed   Fault = "failed"
)

// State is what there is on a node. It is the answer to all that it is asked.
type State struct {
	Current  string   `json:"current,omitempty"`  // digest
	Previous string   `json:"previous,omitempty"` // what to go back to; may be empty
	Releases []string `json:"releases,omitempty"` // all, in the order of use
	// Offset is how many bytes of the stream that was asked about are there.
	Offset int64 `json:"offset,omitempty"`
	Uses   []Use `json:"uses,omitempty"`
	// Pruned were removed.
	Pruned []string `json:"pruned,omitempty"`
	Fault  Fault    `json:"fault,omitempty"`
	Reason string   `json:"reason,omitempty"` // of the fault, for a person
}

// Has reports whether a release is there.
func (s State) Has(digest string) bool { return slices.Contains(s.Releases, digest) }

// failure is an error with a fault.
type failure struct {
	fault Fault
	error
}

func (f *failure) Unwrap() error { return f.error }

// Failing is the state of a node on which something failed.
func (s State) Failing(err error) State {
	var known *failure
	s.Fault, s.Reason = Failed, err.Error()
	switch {
	case errors.As(err, &known):
		s.Fault = known.fault
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		s.Fault = NoSpace
	}
	return s
}

// store is the directory of releases.
type store struct {
	path string // SIRIKATA_PATH, resolved
	area string // below it, where releases are, or else what is on its way
}

func (s store) releases(names ...string) string {
	return filepath.Join(append([]string{s.path, releasesName}, names...)...)
}

func (s store) within(names ...string) string {
	return filepath.Join(append([]string{s.path, s.area}, names...)...)
}

// Look returns what there is below a SIRIKATA_PATH, and how much came of the
// stream, which may have no name; it changes nothing. A directory that cannot be
// installed to as r has it is a fault. Of r it needs Path, Stream and InPlace.
func Look(ctx context.Context, r Request) (State, error) {
	s, err := open(r.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	if r.InPlace {
		s.area = inPlaceName
	}
	if err := s.obstacle(r.InPlace); err != nil {
		return State{}, err
	}
	return s.state(ctx, r.Stream)
}

// open resolves the path: what runs is known to the kernel by that.
func open(path string) (store, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return store{}, err
	}
	info, err := os.Stat(real)
	if err == nil && !info.IsDir() {
		err = &failure{Foreign, fmt.Errorf("%s is not a directory", path)}
	}
	return store{real, releasesName}, err
}

func (s store) state(ctx context.Context, stream string) (State, error) {
	var state State
	var err error
	if state.Releases, err = s.order(); err != nil {
		return state, err
	}
	state.Current = s.current()
	state.Previous = before(state.Releases, state.Current)
	if info, err := os.Lstat(s.within(incomingName, stream)); stream != "" && err == nil {
		state.Offset = info.Size()
	}
	state.Uses, err = uses(ctx, s.path)
	return state, err
}

// current is the digest of the release that services start from; "" is none.
func (s store) current() string {
	target, err := os.Readlink(filepath.Join(s.path, currentName))
	digest, ours := strings.CutPrefix(target, releasesName+"/")
	if err != nil || !ours || !isDigest(digest) {
		return ""
	}
	return digest
}

// obstacle says why the directory may not hold releases: somebody else's files are
// in it.
func (s store) obstacle(inPlace bool) error {
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	var found []string
	ours := false
	for _, entry := range entries {
		ours = ours || entry.Name() == releasesName && entry.IsDir()
		if entry.Name() != "lost+found" { // of an empty ext4
			found = append(found, entry.Name())
		}
	}
	if inPlace && ours {
		return &failure{Foreign, fmt.Errorf("%s holds releases: sync to it without --in-place", s.path)}
	}
	if inPlace {
		return nil
	}
	if !ours && len(found) > 0 {
		return &failure{Foreign, fmt.Errorf("%s is not empty and holds no releases: there is %s in it", s.path, some(found))}
	}
	for name, target := range links() {
		got, err := os.Readlink(filepath.Join(s.path, name))
		if errors.Is(err, fs.ErrNotExist) || got == target || name == currentName && s.current() != "" {
			continue
		}
		return &failure{Foreign, fmt.Errorf("%s is not the link that it is where there are releases", filepath.Join(s.path, name))}
	}
	return nil
}

// links are what stands in the directory besides releases. current leads to
// another release at each time.
func links() map[string]string {
	all := map[string]string{currentName: ""}
	for _, top := range archive.Release().Tops() {
		all[top] = currentName + "/" + top
	}
	return all
}

// some names the first of many.
func some(names []string) string {
	const enough = 3
	if more := len(names) - enough; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:enough], ", "), more)
	}
	return strings.Join(names, ", ")
}

// digestLength is that of a SHA-256 in hexadecimal.
const digestLength = 64

// isDigest keeps what is no digest out of paths.
func isDigest(text string) bool {
	return len(text) == digestLength && strings.Trim(text, "0123456789abcdef") == ""
}
