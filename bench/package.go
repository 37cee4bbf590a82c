package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// packageSize is the size of the installed Sirikata that is measured with, in
// bytes.
const packageSize = 200 << 20

// install makes an installation of programs and libraries of this machine: what
// compresses as a Sirikata does.
func install() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "bench-installed-"); err != nil {
		return "", err
	}
	var size int64
	for _, top := range []string{"bin", "lib", "share"} {
		if err := os.Mkdir(filepath.Join(dir, top), 0o755); err != nil {
			return dir, err
		}
	}
	for _, from := range []struct {
		dir, to string
		most    int64
	}{{"/usr/bin", "bin", packageSize / 4}, {"/usr/lib", "lib", packageSize - 20<<20}, {"/usr/share", "share", packageSize}} {
		err := filepath.WalkDir(from.dir, func(path string, entry fs.DirEntry, err error) error {
			info, infoErr := entry.Info()
			switch {
			case err != nil || infoErr != nil:
				return nil // not ours to read
			case size >= from.most:
				return fs.SkipAll
			case !info.Mode().IsRegular() || size+info.Size() > packageSize:
				return nil
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			size += int64(len(content))
			within, err := filepath.Rel(from.dir, path)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, from.to, within)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, content, 0o755)
		})
		if err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// shell runs a script with words for $1…, and returns how long it took.
func shell(script string, words ...string) (time.Duration, error) {
	begin := time.Now()
	out, err := exec.Command("sh", append([]string{"-c", script, "sh"}, words...)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", script, err, out)
	}
	return time.Since(begin), err
}

// packaging measures the making of a package, beside tar with one core and with all.
func (b *bench) packaging() error {
	dir, err := install()
	defer func() { _ = os.RemoveAll(dir) }()
	if err != nil {
		return err
	}
	output := filepath.Join(dir, "out.tar.bz2")
	runs := min(b.runs, 3)
	ours, err := repeat(runs, func(int) (time.Duration, error) { return timed("sirikata", "package", dir, "--output="+output) })
	if err != nil {
		return err
	}
	r := row{what: "package 200 MB", ours: ours}
	for _, peer := range []peer{{name: "tar -cj"}, {name: "tar, lbzip2"}} {
		script := map[string]string{"tar -cj": `tar -C "$1" -cjf "$2" bin lib share`,
			"tar, lbzip2": `tar -C "$1" -c bin lib share | lbzip2 >"$2"`}[peer.name]
		if peer.sample, err = repeat(runs, func(int) (time.Duration, error) { return shell(script, dir, output) }); err != nil {
			return err
		}
		r.peers = append(r.peers, peer)
	}
	b.report(r)
	return nil
}
