package release

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// sent is a release on its way: what is sent, and what is said of it.
type sent struct {
	Request
	stream []byte
}

// newRelease is a release with a program that sleeps, and a version.
func newRelease(t *testing.T, path, version string) sent {
	t.Helper()
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	var plain, stream bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, file := range []struct{ name, content string }{{"bin/space", string(sleep)}, {"lib/x", "x"}, {"share/version", version}} {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: file.name, Mode: 0o755, Size: int64(len(file.content))})
		if err == nil {
			_, err = io.WriteString(w, file.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(&stream)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(plain.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(plain.Bytes())
	return sent{Request{Path: path, Digest: hex.EncodeToString(sum[:]), Stream: "stream-" + version, Size: int64(stream.Len())}, stream.Bytes()}
}

// install installs what is there from the request's offset on.
func (s sent) install(t *testing.T) (State, error) {
	t.Helper()
	state, err := Install(t.Context(), s.Request, bytes.NewReader(s.stream[s.Offset:]))
	if err != nil {
		state = state.Failing(err)
	}
	return state, err
}

func (s sent) installed(t *testing.T) State {
	t.Helper()
	state, err := s.install(t)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func wantVersion(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(filepath.Join(path, "share/version")); string(got) != want {
		t.Errorf("the version is %q (%v), not %q", got, err, want)
	}
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), `my "siri'kata`) }

// TestKeepsThree installs five, goes back, and goes on from there.
func TestKeepsThree(t *testing.T) {
	path := newPath(t)
	var all []sent
	for _, version := range []string{"1", "2", "3", "4", "5"} {
		all = append(all, newRelease(t, path, version))
		state := all[len(all)-1].installed(t)
		wantVersion(t, path, version)
		if n := len(all); n > 3 && !slices.Equal(state.Pruned, []string{all[n-4].Digest}) {
			t.Errorf("pruned %v", state.Pruned)
		}
	}
	digest := func(i int) string { return all[i-1].Digest }
	state := all[4].installed(t)
	want := State{Current: digest(5), Previous: digest(4), Releases: []string{digest(3), digest(4), digest(5)}}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("installed again (-want +got):\n%s", diff)
	}
	back := Request{Path: path, Digest: digest(4), Back: true}
	state, err := Install(t.Context(), back, nil)
	want = State{Current: digest(4), Previous: digest(3), Releases: want.Releases}
	if diff := cmp.Diff(want, state); diff != "" || err != nil {
		t.Errorf("gone back (%v) (-want +got):\n%s", err, diff)
	}
	wantVersion(t, path, "4")
	state = newRelease(t, path, "6").installed(t)
	if state.Previous != digest(4) {
		t.Error("one that was rolled back from is what the next goes back to")
	}
	if _, err := Install(t.Context(), Request{Path: path, Digest: strings.Repeat("0", 64)}, nil); err == nil {
		t.Error("switched to what is not there")
	}
}

// TestInUseStays has a daemon that outlives three releases.
func TestInUseStays(t *testing.T) {
	path := newPath(t)
	first := newRelease(t, path, "1")
	first.installed(t)
	program, err := filepath.EvalSymlinks(filepath.Join(path, "bin/space"))
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(program, "1000")
	daemon.Env = append(os.Environ(), cluster.ServiceVariable+"=world")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer daemon.Wait()
	defer daemon.Process.Kill()
	var state State
	for _, version := range []string{"2", "3", "4", "5"} {
		state = newRelease(t, path, version).installed(t)
	}
	want := []Use{{Release: first.Digest, PID: daemon.Process.Pid, Service: "world", Program: "space", Runs: true}}
	if diff := cmp.Diff(want, state.Uses); diff != "" || !state.Has(first.Digest) || len(state.Releases) != 4 {
		t.Errorf("releases %v; uses (-want +got):\n%s", state.Releases, diff)
	}
	// Of what runs elsewhere, on the same directory, one is told.
	_ = daemon.Process.Kill()
	_ = daemon.Wait()
	last := newRelease(t, path, "6")
	last.InUse = []string{first.Digest}
	if state = last.installed(t); !state.Has(first.Digest) {
		t.Error("one that another node uses was removed")
	}
	if state = newRelease(t, path, "7").installed(t); state.Has(first.Digest) {
		t.Error("one that nobody uses stays")
	}
}

// TestCutOff cuts a stream off at many places and goes on from each.
func TestCutOff(t *testing.T) {
	path := newPath(t)
	newRelease(t, path, "old").installed(t)
	next := newRelease(t, path, "new")
	for _, size := range []int64{0, 1, 7, 1000, next.Size / 2, next.Size - 1} {
		part := next
		state, err := Look(t.Context(), next.Request)
		if err != nil || state.Has(next.Digest) {
			t.Fatalf("state %+v, %v", state, err)
		}
		part.Offset, part.stream = state.Offset, next.stream[:size]
		if state, _ = part.install(t); state.Fault != CutOff || state.Offset != size {
			t.Errorf("cut off at %d: %+v", size, state)
		}
		wantVersion(t, path, "old")
		if _, err := os.Stat(filepath.Join(path, ".releases/new")); err == nil {
			t.Errorf("cut off at %d: what was unpacked is still there", size)
		}
	}
	next.Offset = 5
	if state, _ := next.install(t); state.Fault != Moved || state.Offset != next.Size-1 {
		t.Errorf("another offset: %+v", state)
	}
	next.Offset = next.Size - 1
	next.installed(t)
	wantVersion(t, path, "new")
	if _, err := os.Stat(filepath.Join(path, ".releases/incoming")); err == nil {
		t.Error("what came is still there")
	}
}

// TestBrokenStream has streams that are whole and wrong: nothing of them is kept.
func TestBrokenStream(t *testing.T) {
	path := newPath(t)
	newRelease(t, path, "old").installed(t)
	damaged := newRelease(t, path, "new")
	damaged.stream[len(damaged.stream)/2] ^= 0xff
	other := newRelease(t, path, "new")
	other.Digest = strings.Repeat("a", 64)
	for name, s := range map[string]sent{"damaged": damaged, "another digest": other} {
		if state, err := s.install(t); err == nil || state.Fault != Failed {
			t.Errorf("%s: %+v", name, state)
		}
		if state, err := Look(t.Context(), s.Request); err != nil || state.Offset != 0 || len(state.Releases) != 1 {
			t.Errorf("after %s: %+v, %v", name, state, err)
		}
		wantVersion(t, path, "old")
	}
	huge := newRelease(t, path, "new")
	huge.Bytes = 1 << 60
	if state, _ := huge.install(t); state.Fault != NoSpace || !strings.Contains(state.Reason, "MB are free") {
		t.Errorf("without room: %+v", state)
	}
}

func TestForeign(t *testing.T) {
	for name, content := range map[string]string{"bin/own": "x", "file": "x"} {
		path := newPath(t)
		file := filepath.Join(path, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := newRelease(t, path, "1")
		if state, _ := s.install(t); state.Fault != Foreign {
			t.Errorf("%s: %+v", name, state)
		}
		s.InPlace = true
		s.installed(t)
		wantVersion(t, path, "1")
		if got, _ := os.ReadFile(file); string(got) != content {
			t.Errorf("%s is gone", name)
		}
		if _, err := os.Stat(filepath.Join(path, ".sirikata-incoming")); err == nil {
			t.Error("something is left in the directory")
		}
	}
	path := newPath(t)
	if err := os.MkdirAll(filepath.Join(path, "bin/space"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := newRelease(t, path, "1")
	s.InPlace = true
	if state, _ := s.install(t); state.Fault != Conflict || !strings.Contains(state.Reason, "is a directory") {
		t.Errorf("a directory where a file is to go: %+v", state)
	}
	if _, err := os.Stat(filepath.Join(path, "lib")); err == nil {
		t.Error("something was changed")
	}
	releases := newRelease(t, newPath(t), "1")
	releases.installed(t)
	releases.InPlace = true
	if state, _ := releases.install(t); state.Fault != Foreign {
		t.Errorf("in place of releases: %+v", state)
	}
}

// TestTogether installs the same release several times at once.
func TestTogether(t *testing.T) {
	path := newPath(t)
	s := newRelease(t, path, "1")
	done := make(chan error, 4)
	for range cap(done) {
		go func() {
			_, err := Install(t.Context(), s.Request, bytes.NewReader(s.stream))
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	wantVersion(t, path, "1")
}

func TestSilence(t *testing.T) {
	never, _ := io.Pipe()
	if _, err := io.ReadAll(impatient(never, time.Millisecond)); !errors.Is(err, errSilent) {
		t.Errorf("error %v", err)
	}
	if got, err := io.ReadAll(impatient(iotest.OneByteReader(strings.NewReader("all of it")), time.Minute)); string(got) != "all of it" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLookChangesNothing(t *testing.T) {
	path := newPath(t)
	if state, err := Look(t.Context(), Request{Path: path}); err != nil || !cmp.Equal(state, State{}) {
		t.Errorf("%+v, %v", state, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the directory was made")
	}
}

func TestCopy(t *testing.T) {
	dir := t.TempDir()
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "made/target")
	if err := os.MkdirAll(filepath.Join(source, "sub"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "sub/file"), []byte("new"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(source, "link")); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := Send(t.Context(), source+"/", &stream, nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, stream.Len() / 2, stream.Len() - 1} {
		if _, err := Receive(t.Context(), bytes.NewReader(stream.Bytes()[:size]), target); err == nil {
			t.Errorf("%d of %d bytes are a whole copy", size, stream.Len())
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Fatalf("after %d bytes there is %v", size, entries)
		}
	}
	for range 2 { // the second one over the first
		copied, err := Receive(t.Context(), bytes.NewReader(stream.Bytes()), target)
		if want := (Copied{Path: target, Files: 2, Bytes: 3}); copied != want || err != nil {
			t.Errorf("copied %+v, %v", copied, err)
		}
		if info, err := os.Lstat(filepath.Join(target, "sub/file")); err != nil || info.Mode() != 0o640 {
			t.Errorf("the file is %v, %v", info, err)
		}
		if to, err := os.Readlink(filepath.Join(target, "link")); to != "/nowhere" {
			t.Errorf("the link is %q, %v", to, err)
		}
		if err := os.WriteFile(filepath.Join(target, "sub/own"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(target, "sub/own")); err != nil {
		t.Error("a file of the directory's own is gone")
	}
	if err := Send(t.Context(), filepath.Join(source, "sub/file")+"/", io.Discard, nil, nil); err == nil {
		t.Error("a file is a directory")
	}
}

func TestTarget(t *testing.T) {
	for _, test := range [][3]string{{"/a/b", "/c", "/c"}, {"/a/b", "/c/", "/c/b"}, {"/a/b/", "/c/", "/c/b"}, {"/a/b/", "/c/d", "/c/d"}, {"..", "/c/", ""}, {"/", "c/", ""}} {
		got, err := Target(test[0], test[1])
		if got != test[2] || (err != nil) != (test[2] == "") {
			t.Errorf("%q to %q: %q, %v", test[0], test[1], got, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newRelease(t, newPath(t), "1")
	if _, err := Install(ctx, s.Request, bytes.NewReader(s.stream)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
