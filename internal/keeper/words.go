package keeper

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// LibraryVariable tells the dynamic linker where libraries are (ld.so(8)).
const LibraryVariable = "LD_LIBRARY_PATH"

// Substitute replaces the words in every argument, in one pass, so that what
// was put in is not looked at again.
func Substitute(command []string, pidFile, fqdn string) []string {
	words := strings.NewReplacer(cluster.PIDFileWord, pidFile, cluster.FQDNWord, fqdn)
	out := make([]string, len(command))
	for i, arg := range command {
		out[i] = words.Replace(arg)
	}
	return out
}

// LibraryPath is where the libraries of the release lie. Where releases are
// switched by the link "current", it is resolved, so that a running daemon
// keeps the files it started with.
func LibraryPath(sirikataPath string) string {
	if sirikataPath == "" {
		return ""
	}
	if release, err := filepath.EvalSymlinks(path.Join(sirikataPath, "current")); err == nil {
		return path.Join(release, "lib")
	}
	return path.Join(sirikataPath, "lib")
}

// ProgramIn is the file of a command in the release that is current, or "" if the
// command is not of a release. A daemon that looks for its files beside itself, or
// executes itself again, is to find those that it started with. Links in the release
// stay: a program may go by the name that it is called by.
func ProgramIn(sirikataPath, command string) string {
	within, ok := strings.CutPrefix(path.Clean(command), path.Clean(sirikataPath)+"/")
	if sirikataPath == "" || !ok {
		return ""
	}
	release, err := filepath.EvalSymlinks(path.Join(sirikataPath, "current"))
	if err != nil {
		return ""
	}
	program := path.Join(release, strings.TrimPrefix(within, "current/"))
	if _, err := os.Stat(program); err != nil {
		return ""
	}
	return program
}
