package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Use is a process that uses a release.
type Use struct {
	Release string `json:"release"` // digest
	PID     int    `json:"pid"`
	// Service is the service whose process it is; empty where that is not known.
	Service string `json:"service,omitempty"`
	// Program is its name for a person.
	Program string `json:"program,omitempty"`
	// Runs is true if it has files of the release open or mapped, and not only
	// the release's libraries in its environment.
	Runs bool `json:"runs,omitempty"`
}

// uses are the processes of the machine that use a release, by pid. Those of other
// users are seen by root only.
func uses(ctx context.Context, path string) ([]Use, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("see what runs: %w", err)
	}
	var all []Use
	marker := filepath.Join(path, releasesName) + "/"
	err = asOwners(func(as func(proc string, do func())) error {
		for _, entry := range entries {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			pid, err := strconv.Atoi(entry.Name())
			if err != nil || pid == os.Getpid() {
				continue
			}
			var found []Use
			proc := filepath.Join("/proc", entry.Name())
			as(proc, func() { found, err = usesOf(proc, pid, marker) })
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Use) int { return a.PID - b.PID })
	return all, err
}

// usesOf are the releases that one process uses. One that ends meanwhile uses none,
// nor does one of which we may not know.
func usesOf(proc string, pid int, marker string) ([]Use, error) {
	runs := map[string]bool{}
	look := func(text string, running bool) {
		for _, digest := range digestsIn(text, marker) {
			runs[digest] = runs[digest] || running
		}
	}
	for _, link := range []string{"exe", "cwd", "root"} {
		if target, err := os.Readlink(filepath.Join(proc, link)); err == nil {
			look(target+"/", true)
		}
	}
	for name, running := range map[string]bool{"maps": true, "environ": false} {
		text, err := os.ReadFile(filepath.Join(proc, name))
		if err != nil && !gone(err) && !errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("see what process %d uses: %w", pid, err)
		}
		look(string(text), running)
	}
	var all []Use
	for digest, running := range runs {
		all = append(all, Use{Release: digest, PID: pid, Service: serviceOf(proc), Program: programOf(proc), Runs: running})
	}
	return all, nil
}

// digestsIn are the releases whose paths are in a text.
func digestsIn(text, marker string) []string {
	var all []string
	for {
		at := strings.Index(text, marker)
		if at < 0 {
			return all
		}
		text = text[at+len(marker):]
		if len(text) > digestLength && text[digestLength] == '/' && isDigest(text[:digestLength]) {
			all = append(all, text[:digestLength])
		}
	}
}

// Units of services are named so.
const unitPrefix, unitSuffix = "sirikata-", ".service"

// serviceOf is the service whose unit a process is in, or that its environment
// names; "" is none.
func serviceOf(proc string) string {
	text, _ := os.ReadFile(filepath.Join(proc, "cgroup"))
	for line := range strings.Lines(string(text)) {
		for part := range strings.SplitSeq(strings.TrimSpace(line), "/") {
			if id, ok := strings.CutPrefix(part, unitPrefix); ok && strings.HasSuffix(id, unitSuffix) {
				return strings.TrimSuffix(id, unitSuffix)
			}
		}
	}
	environ, _ := os.ReadFile(filepath.Join(proc, "environ"))
	for variable := range strings.SplitSeq(string(environ), "\x00") {
		if id, ok := strings.CutPrefix(variable, cluster.ServiceVariable+"="); ok {
			return id
		}
	}
	return ""
}

func programOf(proc string) string {
	text, _ := os.ReadFile(filepath.Join(proc, "comm"))
	return strings.TrimSpace(string(text))
}

// usedReleases are the releases of uses.
func usedReleases(all []Use) []string {
	var digests []string
	for _, use := range all {
		digests = append(digests, use.Release)
	}
	return digests
}
