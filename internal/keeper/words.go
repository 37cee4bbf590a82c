package keeper

import (
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
