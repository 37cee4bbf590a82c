package archive

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Rules say what an archive may hold. Under all rules every name stays below the
// directory that is unpacked to, nothing lies below a link, and there are only
// regular files, directories, links and hard links.
type Rules struct {
	tops    []string // what stands at the top: these, and nothing else
	confine bool     // symlinks must lead to something below one of tops
}

// Release are the rules of a packaged release: bin, lib and share, and symlinks
// that do not leave them.
func Release() Rules { return Rules{tops: []string{"bin", "lib", "share"}, confine: true} }

// CopyName is the name at the top of an archive by the rules [Copy].
const CopyName = "copy"

// Copy are the rules of files that are copied as they are: one file or directory,
// under [CopyName]. Symlinks may lead anywhere; nobody follows them.
func Copy() Rules { return Rules{tops: []string{CopyName}} }

// Tops are the names at the top, in order.
func (r Rules) Tops() []string { return slices.Clone(r.tops) }

// permissions are the bits of a mode that are kept of files and of directories.
// What else a directory has is about groups, of which archives know nothing.
const (
	filePermissions      = 0o777
	directoryPermissions = 0o1777
)

// setIDs are the bits that run a program as somebody else: its owner, who is
// another one after it was unpacked.
const setIDs = 0o6000

// checker goes through the entries of an archive.
type checker struct {
	rules  Rules
	kinds  map[string]byte   // type of each entry by its name
	links  map[string]string // targets of symlinks
	faults []cluster.Fault
}

func newChecker(rules Rules) *checker {
	return &checker{rules: rules, kinds: map[string]byte{}, links: map[string]string{}}
}

func (c *checker) fault(name, format string, args ...any) {
	c.faults = append(c.faults, cluster.Fault{Field: fmt.Sprintf("%q", name), Problem: fmt.Sprintf(format, args...)})
}

// entry looks at the next entry and returns its clean name, or "" if it is to be
// passed over. Faults may be found only by finish.
func (c *checker) entry(h *tar.Header) string {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return ""
	}
	name := path.Clean(h.Name)
	switch {
	case h.Name == "" || strings.ContainsRune(h.Name, 0):
		c.fault(h.Name, "is no name")
		return ""
	case path.IsAbs(h.Name):
		c.fault(h.Name, "is an absolute path")
		return ""
	case slices.Contains(strings.Split(h.Name, "/"), ".."):
		c.fault(h.Name, `has ".." in its path`)
		return ""
	case name == ".":
		return ""
	}
	c.place(h, name)
	c.kind(h, name)
	return name
}

// place looks at where an entry lies.
func (c *checker) place(h *tar.Header, name string) {
	top, rest, below := strings.Cut(name, "/")
	if !slices.Contains(c.rules.tops, top) {
		if _, seen := c.kinds[top]; !seen {
			c.kinds[top] = tar.TypeDir
			c.fault(top, "does not belong at the top, where there are only %s", strings.Join(c.rules.tops, ", "))
		}
	} else if rest == "" && c.rules.confine && h.Typeflag != tar.TypeDir {
		c.fault(name, "is not a directory")
	}
	if below {
		c.parents(name)
	}
	if before, seen := c.kinds[name]; seen && (before != tar.TypeDir || h.Typeflag != tar.TypeDir) {
		c.fault(name, "is there twice")
	}
	c.kinds[name] = h.Typeflag
}

// parents looks at the directories above an entry, which archives may leave out.
func (c *checker) parents(name string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		kind, seen := c.kinds[dir]
		if seen && kind != tar.TypeDir {
			c.fault(name, "lies below %q, which is not a directory", dir)
			return
		}
		c.kinds[dir] = tar.TypeDir
	}
}

func (c *checker) kind(h *tar.Header, name string) {
	if sparse(h) {
		c.fault(name, "is sparse: it would be larger than what was sent; pack it without --sparse")
		return
	}
	switch h.Typeflag {
	case tar.TypeDir:
	case tar.TypeReg:
		if h.Mode&setIDs != 0 {
			c.fault(name, "runs as another user (mode %04o): take that from it with chmod ug-s", h.Mode&0o7777)
		}
	case tar.TypeSymlink:
		c.links[name] = h.Linkname
		if h.Linkname == "" {
			c.fault(name, "is a link to nothing")
		}
	case tar.TypeLink:
		if target := path.Clean(h.Linkname); c.kinds[target] != tar.TypeReg || target == name {
			c.fault(name, "is a hard link to %q, which is no file before it in the archive", h.Linkname)
		} else {
			c.kinds[name] = tar.TypeReg
		}
	case tar.TypeChar, tar.TypeBlock:
		c.fault(name, "is a device")
	case tar.TypeFifo:
		c.fault(name, "is a named pipe")
	default:
		c.fault(name, "is of a kind that is not a file, directory or link (%q)", h.Typeflag)
	}
}

// sparse reports whether an entry has holes, by either of GNU tar's formats for
// that ("Storing Sparse Files" in its manual).
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// finish looks at what can be judged only when all entries are known.
func (c *checker) finish() {
	for _, top := range c.rules.tops {
		if _, there := c.kinds[top]; !there {
			c.fault(top, "is missing")
		}
	}
	if !c.rules.confine {
		return
	}
	names := make([]string, 0, len(c.links))
	for name := range c.links {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if problem := c.strays(name); problem != "" {
			c.fault(name, "%s", problem)
		}
	}
}

// strays says how a symlink leads out of the archive, or "". Links on the way are
// followed as the kernel does (path_resolution(7)).
func (c *checker) strays(name string) string {
	target := c.links[name]
	if path.IsAbs(target) {
		return fmt.Sprintf("is a link to %q: an absolute path is another one on a node; use a relative one", target)
	}
	const enough = 255 // a circle leads nowhere, and not out
	at := parts(path.Dir(name))
	ahead := parts(target)
	for steps := 0; len(ahead) > 0 && steps < enough; steps++ {
		next := ahead[0]
		ahead = ahead[1:]
		if next == ".." {
			if len(at) == 0 {
				return fmt.Sprintf("is a link to %q, which leads out of it", target)
			}
			at = at[:len(at)-1]
			continue
		}
		at = append(slices.Clone(at), next)
		if through, isLink := c.links[path.Join(at...)]; isLink {
			if path.IsAbs(through) {
				return fmt.Sprintf("is a link to %q, which leads out of it through %q", target, path.Join(at...))
			}
			at, ahead = at[:len(at)-1], append(parts(through), ahead...)
		}
	}
	if len(at) > 0 && !slices.Contains(c.rules.tops, at[0]) {
		return fmt.Sprintf("is a link to %q, and %q is not part of it", target, at[0])
	}
	return ""
}

// parts are the components of a path that say something.
func parts(p string) []string {
	return slices.DeleteFunc(strings.Split(p, "/"), func(part string) bool { return part == "" || part == "." })
}

// maxFaults is how many faults are named; an archive may have as many as files.
const maxFaults = 20

// err is all that was found, of what is called so.
func (c *checker) err(what string) error {
	if len(c.faults) == 0 {
		return nil
	}
	faults := c.faults
	if more := len(faults) - maxFaults; more > 0 {
		faults = append(slices.Clone(faults[:maxFaults]), cluster.Fault{Problem: fmt.Sprintf("and %d more", more)})
	}
	return &cluster.InvalidError{What: what, Faults: faults}
}

// mode is that of an entry once it is unpacked.
func mode(h *tar.Header) fs.FileMode {
	if h.Typeflag == tar.TypeDir {
		m := fs.FileMode(h.Mode & filePermissions)
		if h.Mode&(directoryPermissions&^filePermissions) != 0 {
			m |= fs.ModeSticky
		}
		return m
	}
	return fs.FileMode(h.Mode & filePermissions)
}
