package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// installed makes an installation with everything that a release may hold.
func installed(t *testing.T, dir string) string {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "lib/empty", "lib/read only", "share"} {
		must(os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	must(os.WriteFile(filepath.Join(dir, "bin/space"), []byte("#!/bin/sh\n"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "share/secret"), []byte("x"), 0o600))
	must(os.WriteFile(filepath.Join(dir, "not packaged"), nil, 0o644))
	must(os.Link(filepath.Join(dir, "bin/space"), filepath.Join(dir, "bin/world")))
	must(os.Symlink("../bin/space", filepath.Join(dir, "lib/link")))
	must(os.Symlink("gone", filepath.Join(dir, "lib/dangling")))
	must(os.WriteFile(filepath.Join(dir, "lib/read only/file"), []byte("ro"), 0o444))
	must(os.Chmod(filepath.Join(dir, "lib/read only"), 0o555))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "lib/read only"), 0o755) })
	return dir
}

func packed(t *testing.T, dir string) []byte {
	t.Helper()
	tree, err := Scan(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tree.Write(t.Context(), &out, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSameTreeSameTar has two trees that differ in nothing but when they were made,
// in which order, and what lies beside them.
func TestSameTreeSameTar(t *testing.T) {
	a, b := installed(t, t.TempDir()), installed(t, t.TempDir())
	late := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(b, "bin/space"), late, late); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b, "other"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed(t, a), packed(t, b)) {
		t.Error("the same tree makes two archives")
	}
	if err := os.Chmod(filepath.Join(b, "share/secret"), 0o640); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(packed(t, a), packed(t, b)) {
		t.Error("another mode makes the same archive")
	}
}

func TestUnpackGivesTheTree(t *testing.T) {
	archive := packed(t, installed(t, t.TempDir()))
	dir := t.TempDir()
	content, err := Unpack(t.Context(), bytes.NewReader(archive), Release(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if content.Files != 6 || content.Bytes != 13 || len(content.Digest) != 64 {
		t.Errorf("content is %+v", content)
	}
	if checked, err := Check(t.Context(), bytes.NewReader(archive), Release()); checked != content || err != nil {
		t.Errorf("Check says %+v, %v", checked, err)
	}
	want := []string{"bin 755", "bin/space 755", "bin/world 755", "lib 755", "lib/dangling -> gone", "lib/empty 755",
		"lib/link -> ../bin/space", "lib/read only 555", "lib/read only/file 444", "share 755", "share/secret 600"}
	if diff := cmp.Diff(want, listed(t, dir)); diff != "" {
		t.Errorf("unpacked (-want +got):\n%s", diff)
	}
	if again := packed(t, dir); !bytes.Equal(again, archive) {
		t.Error("what was unpacked makes another archive")
	}
	if err := Remove(dir); err != nil {
		t.Errorf("remove it: %v", err)
	}
}

func listed(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		if target, err := os.Readlink(path); err == nil {
			all = append(all, name+" -> "+target)
		} else {
			all = append(all, name+" "+strings.TrimLeft(octal(info.Mode()), "0"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func octal(mode fs.FileMode) string {
	const digits = "01234567"
	p := mode.Perm()
	return string([]byte{digits[p>>6&7], digits[p>>3&7], digits[p&7]})
}

// TestScanFindsAllFaults has one of each kind in one tree.
func TestScanFindsAllFaults(t *testing.T) {
	dir := installed(t, t.TempDir())
	if err := os.RemoveAll(filepath.Join(dir, "share")); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"lib/etc": "/etc", "lib/up": "../../x", "bin/other": "../not packaged",
		"bin/hop": "../lib/up2", "lib/up2": "..", "lib/far": "up2/../x", "lib/round": "round"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "bin/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/su"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "bin/su"), 0o755|fs.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // paths of sockets are short
	socket, err := net.Listen("unix", "lib/s")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_, err = Scan(t.Context(), dir, "")
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{`"share": is missing`, `"lib/etc": is a link to "/etc"`, `"lib/up": is a link to "../../x", which leads out`,
		`"bin/other": is a link to "../not packaged", and "not packaged" is not part`, `"lib/far": is a link to "up2/../x", which leads out`,
		`"bin/pipe": is a named pipe`, `"bin/su": runs as another user (mode 4755)`, `"lib/s": is a socket`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not found: %s in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "round") || strings.Contains(err.Error(), "hop") {
		t.Errorf("too much was found:\n%v", err)
	}
}

func TestScanLeavesOutItsOutput(t *testing.T) {
	dir := installed(t, t.TempDir())
	before := packed(t, dir)
	output := filepath.Join(dir, "share/sirikata.tar.bz2")
	if err := os.WriteFile(output, []byte("of an earlier run"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := Scan(t.Context(), dir, output)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tree.Write(t.Context(), &out, nil); err != nil || !bytes.Equal(out.Bytes(), before) {
		t.Errorf("the archive has itself in it (%v)", err)
	}
}

func TestWriteSeesChanges(t *testing.T) {
	for what, change := range map[string]string{"shorter": "", "longer": "#!/bin/sh\nmore"} {
		dir := installed(t, t.TempDir())
		tree, err := Scan(t.Context(), dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "bin/space"), []byte(change), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := tree.Write(t.Context(), io.Discard, nil); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("a file that became %s: %v", what, err)
		}
	}
}

// made is an archive of these entries.
func made(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		h.Mode = max(h.Mode, 0o755)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func whole(more ...tar.Header) []tar.Header {
	return append([]tar.Header{{Typeflag: tar.TypeDir, Name: "./bin/"}, {Typeflag: tar.TypeDir, Name: "lib"}, {Typeflag: tar.TypeReg, Name: "share/x", Size: 3}}, more...)
}

func TestCheck(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
	link := func(name, to string) tar.Header {
		return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
	}
	for _, test := range []struct {
		name    string
		entries []tar.Header
		want    string // empty: it is right
	}{
		{"right", whole(link("lib/a", "../bin")), ""},
		{"absolute", whole(file("/etc/passwd")), `"/etc/passwd": is an absolute path`},
		{"dots", whole(file("bin/../../x")), `"bin/../../x": has ".." in its path`},
		{"device", whole(tar.Header{Typeflag: tar.TypeBlock, Name: "bin/sda"}), `"bin/sda": is a device`},
		{"pipe", whole(tar.Header{Typeflag: tar.TypeFifo, Name: "bin/p"}), `"bin/p": is a named pipe`},
		{"beside", whole(file("etc/x"), file("etc/y")), `"etc": does not belong at the top`},
		{"missing", []tar.Header{file("bin/x")}, `"lib": is missing; "share": is missing`},
		{"file at the top", []tar.Header{file("bin"), file("lib/x"), file("share/x")}, `"bin": is not a directory`},
		{"through a link", whole(link("bin/out", "../lib"), file("bin/out/x")), `"bin/out/x": lies below "bin/out"`},
		{"twice", whole(file("share/x")), `"share/x": is there twice`},
		{"hard link out", whole(tar.Header{Typeflag: tar.TypeLink, Name: "bin/x", Linkname: "/etc/passwd"}), `"bin/x": is a hard link to "/etc/passwd"`},
		{"link out", whole(link("bin/x", "../../etc")), `"bin/x": is a link to "../../etc", which leads out`},
		{"link out by another", whole(link("bin/a", "b/../../.."), link("bin/b", "../lib")), `"bin/a": is a link`},
		{"setuid", whole(tar.Header{Typeflag: tar.TypeReg, Name: "bin/su", Mode: 0o4755}), `"bin/su": runs as another user`},
	} {
		_, err := Check(t.Context(), bytes.NewReader(made(t, test.entries...)), Release())
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		dir := t.TempDir()
		if _, unpackErr := Unpack(t.Context(), bytes.NewReader(made(t, test.entries...)), Release(), dir); (unpackErr == nil) != (err == nil) {
			t.Errorf("%s: Unpack says %v", test.name, unpackErr)
		}
	}
}

// TestSparse has a file that is all hole, 300 MB of it in an archive of 10 kB, as
// GNU tar 1.34 writes it: tar --sparse --format=gnu or posix.
func TestSparse(t *testing.T) {
	for _, format := range []string{"gnu", "posix"} {
		file, err := os.Open("testdata/sparse-" + format + ".tar.gz")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		content, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(t.Context(), content, Release()); err == nil || !strings.Contains(err.Error(), `"bin/hole": is sparse`) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestCheckNoArchive(t *testing.T) {
	good := made(t, whole()...)
	for name, content := range map[string][]byte{"empty": {}, "noise": bytes.Repeat([]byte("noise"), 1000), "short": good[:600]} {
		_, err := Check(t.Context(), bytes.NewReader(content), Release())
		if err == nil {
			t.Errorf("%s is an archive", name)
		}
		if cut := errors.Is(err, io.ErrUnexpectedEOF); cut != (name == "short") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCompress writes with each way that there is, and reads with each. The content
// is of several pieces.
func TestCompress(t *testing.T) {
	content := made(t, whole(tar.Header{Typeflag: tar.TypeReg, Name: "lib/large", Size: 3*pieceSize + 1})...)
	for at := 1 << 16; at < len(content)-1<<16; at += 1 << 16 {
		binary.BigEndian.PutUint64(content[at:], uint64(at)) // no piece is like another
	}
	for _, writer := range append(Compressors(), "none") {
		var file bytes.Buffer
		by, err := Compress(t.Context(), &file, []string{writer}, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
		if err != nil || by != writer && by != Library {
			t.Errorf("compressed by %s, not %s: %v", by, writer, err)
		}
		for _, programs := range [][]string{Decompressors(), {"none"}} {
			var got []byte
			err = Open(t.Context(), bytes.NewReader(file.Bytes()), programs, func(r io.Reader) (err error) {
				got, err = io.ReadAll(r)
				return err
			})
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s, then %v: %d of %d bytes, %v", by, programs, len(got), len(content), err)
			}
			cut := file.Bytes()[:file.Len()-20]
			if err := Open(t.Context(), bytes.NewReader(cut), programs, drain); err == nil {
				t.Errorf("%s, then %v: a file that is cut off is whole", by, programs)
			}
		}
	}
}

func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func TestCompressEndsWithItsContext(t *testing.T) {
	for _, programs := range [][]string{Compressors(), {"none"}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		mine := errors.New("mine")
		tree, err := Scan(ctx, installed(t, t.TempDir()), "")
		if err != nil {
			t.Fatal(err)
		}
		cancel(mine)
		if _, err := Compress(ctx, io.Discard, programs, func(w io.Writer) error { return tree.Write(ctx, w, nil) }); !errors.Is(err, mine) {
			t.Errorf("%v: %v", programs, err)
		}
	}
}

func TestOpenOther(t *testing.T) {
	for content, want := range map[string]string{"": "it is empty", "\x1f\x8b...": "but by gzip", "PK\x03\x04": "but by zip", "text": "not a tar archive"} {
		err := Open(t.Context(), strings.NewReader(content), nil, drain)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// FuzzUnpack unpacks anything: what passes the check is unpacked, and nothing is
// ever outside of the directory.
func FuzzUnpack(f *testing.F) {
	f.Add(made(f, whole()...))
	f.Add(made(f, whole(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/x", Linkname: "../../../outside"}, tar.Header{Typeflag: tar.TypeReg, Name: "bin/x/y"})...))
	f.Add(made(f, whole(tar.Header{Typeflag: tar.TypeLink, Name: "bin/l", Linkname: "share/x"})...))
	f.Add(made(f, whole(tar.Header{Typeflag: tar.TypeReg, Name: "../y"})...))
	f.Fuzz(func(t *testing.T, content []byte) {
		const enough = 1 << 16
		if len(content) > enough {
			t.Skip() // time is better spent on small ones
		}
		above := t.TempDir()
		dir := filepath.Join(above, "dir")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_, checked := Check(t.Context(), bytes.NewReader(content), Release())
		_, err := Unpack(t.Context(), bytes.NewReader(content), Release(), dir)
		if checked != nil && err == nil {
			t.Errorf("unpacked against the rules: %v", checked)
		}
		entries, readErr := os.ReadDir(above)
		if readErr != nil || len(entries) != 1 {
			t.Errorf("beside the directory there is %v (%v)", entries, readErr)
		}
		if err == nil {
			for _, link := range listed(t, dir) {
				name, _, is := strings.Cut(link, " -> ")
				if !is {
					continue
				}
				real, err := filepath.EvalSymlinks(filepath.Join(dir, name))
				if err == nil && !strings.HasPrefix(real, dir+"/") {
					t.Errorf("%s leads to %s", link, real)
				}
			}
		}
		_ = Remove(dir)
	})
}
