package puppet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// scratch is a host in a directory: the scripts really run, with the paths of the
// system below root, and with fakes of what would change this machine. The fakes
// read files in root/fake, and write what they were asked to change to changed.
type scratch struct {
	host
	t    *testing.T
	root string
}

// fakes are programs by name. None but these may change anything.
var fakes = map[string]string{
	"systemctl": `
for unit; do :; done
case "$*" in
*is-active*) grep -qx "$unit" active ;;
*is-enabled*) grep -qx "$unit" enabled && echo enabled ;;
*--property=LoadState*) echo not-found ;;
*) echo "systemctl $*" >>changed ;;
esac`,
	// Without puppet-agent among those that are not asked for, all others are needed.
	"apt-get": `
case "$*" in
*autoremove*) if grep -qx puppet-agent auto; then sed 's/^/Remv /' auto; fi ;;
*--simulate*) cat simulated ;;
*update*) ;;
*)
	echo "apt-get $*" >>changed
	case "$*" in
	*purge*) for name; do sed -i "/^$name$/d" installed; done ;;
	esac
	;;
esac`,
	"apt-mark": `
while [ "$1" != auto ]; do shift; done
shift
printf '%s\n' "$@" >auto`,
	"dpkg": `if [ "$1" = --print-architecture ]; then echo amd64; fi`,
	"dpkg-query": `
for name; do :; done
case "$*" in
*--search*) cat listed ;;
*binary:Package*) sed 's/$/ ii /' installed ;;
*) if grep -qx "$name" installed; then echo "ii "; else false; fi ;;
esac`,
}

func newScratch(t *testing.T) scratch {
	t.Helper()
	h := newHost(t, "exit 0")
	s := scratch{host: h, t: t, root: filepath.Join(filepath.Dir(h.runs), "root")}
	s.state = s.path(stateDirectory)
	t.Setenv("FAKE", s.path("/fake"))
	for name, text := range fakes {
		s.fake(name, text)
	}
	for _, name := range []string{"active", "enabled", "simulated", "auto", "listed", "installed"} {
		s.write("/fake/"+name, "")
	}
	for _, name := range []string{"/run/systemd/system", "/var/lib/dpkg/updates"} {
		if err := os.MkdirAll(s.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s scratch) path(name string) string { return filepath.Join(s.root, name) }

// fake makes a program that runs in root/fake.
func (s scratch) fake(name, text string) {
	s.t.Helper()
	text = "#!/bin/sh\ncd \"$FAKE\" || exit 99\n" + text + "\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.runs), name), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func (s scratch) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// read is what a file holds; empty if there is none.
func (s scratch) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(text)
}

// is compares what a file holds, which is empty if there is none.
func (s scratch) is(name, want string) {
	s.t.Helper()
	if text := s.read(name); text != want {
		s.t.Errorf("%s holds %q, want %q", name, text, want)
	}
}

func (s scratch) exists(name string, want bool) {
	s.t.Helper()
	if _, err := os.Lstat(s.path(name)); (err == nil) != want {
		s.t.Errorf("%s is there: %v, want %v", name, err == nil, want)
	}
}

// below has text speak of paths below root.
func (s scratch) below(text string) string {
	return strings.NewReplacer("/etc/", s.root+"/etc/", "/var/", s.root+"/var/", "/run/", s.root+"/run/").Replace(text)
}

func (s scratch) Run(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	var argv []string
	for _, word := range cmd.Argv {
		if !strings.HasPrefix(word, s.root) {
			word = s.below(word)
		}
		argv = append(argv, word)
	}
	cmd.Argv = argv
	if cmd.Stdin != nil {
		text, err := io.ReadAll(cmd.Stdin)
		if err != nil {
			return remote.Result{}, err
		}
		cmd.Stdin = strings.NewReader(s.below(string(text)))
	}
	return s.Client.Run(ctx, cmd)
}

var _ runner = scratch{}

// stderr is what a script wrote that failed; an error that is none of a script
// stands for itself.
func stderr(err error) string {
	if exit, ok := errors.AsType[*remote.ExitError](err); ok {
		return string(exit.Stderr)
	}
	return fmt.Sprint(err)
}
