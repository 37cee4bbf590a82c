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

// packager makes a package of the directory $1 in the file $2; $3 is our program.
type packager struct{ name, script string }

// packaging measures the making of a package, beside tar: with lbzip2, which uses all
// processors, and without it, as on a new machine.
func (b *bench) packaging() error {
	if err := need(map[string]string{"bzip2": "bzip2", "lbzip2": "lbzip2", "taskset": "util-linux"}); err != nil {
		return err
	}
	dir, err := install()
	defer func() { _ = os.RemoveAll(dir) }()
	if err != nil {
		return err
	}
	const ours = `"$3" sirikata package "$1" --output="$2"`
	const tar = `tar -C "$1" -c bin lib share | `
	all, err := packagers(dir, min(b.runs, 3), []packager{
		{"lbzip2", ours},
		{"bzip2 alone", `PATH="$1/only" ` + ours},
		{"no bzip2", `PATH= ` + ours},
		{"tar, lbzip2", tar + `lbzip2 >"$2"`},
		{"tar -cj", `tar -C "$1" -cjf "$2" bin lib share`},
	})
	if err != nil {
		return err
	}
	const what = "package 200 MB"
	b.report(row{what: what, ours: all[0], peers: []peer{{"tar, lbzip2", all[3]}, {"tar -cj", all[4]}}})
	b.report(row{what: what + ", no lbzip2 here", ours: all[1], peers: []peer{{"tar -cj", all[4]}}})
	b.report(row{what: what + ", no bzip2 at all", ours: all[2], peers: []peer{{"tar -cj", all[4]}}})
	const one = "taskset --cpu-list 0 "
	all, err = packagers(dir, 1, []packager{
		{"one processor", one + `env PATH="$1/only" ` + ours},
		{"tar -cj", one + `tar -C "$1" -cjf "$2" bin lib share`},
	})
	if err != nil {
		return err
	}
	b.report(row{what: what + ", no lbzip2 here, on one processor", ours: all[0], peers: []peer{{"tar -cj", all[1]}}})
	return nil
}

// packagers measures each, in alternation. In the directory "only" there is no program
// but bzip2.
func packagers(dir string, runs int, each []packager) ([]sample, error) {
	file, err := exec.LookPath("bzip2")
	if err != nil {
		return nil, err
	}
	only := filepath.Join(dir, "only")
	if err := os.MkdirAll(only, 0o755); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(only) }()
	if err := os.Symlink(file, filepath.Join(only, "bzip2")); err != nil {
		return nil, err
	}
	return inAlternation(runs, len(each), func(i int) (time.Duration, error) {
		took, err := shell(each[i].script, dir, filepath.Join(dir, "out.tar.bz2"), binary)
		if err != nil {
			err = fmt.Errorf("%s: %w", each[i].name, err)
		}
		return took, err
	})
}
