package nodegroup

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/agent"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
	"github.com/sirikata/sirikata-cluster/internal/store"
)

// syncCluster is a cluster of three nodes that run the real sirikata-node, each in a
// directory of its own.
type syncCluster struct {
	*fakeCluster
	roots []string // SIRIKATA_PATH of each
	cut   int64    // after so many bytes the input of node1 ends; 0 is never
	old   bool     // sirikata-node of node2 is an older one
}

func newSyncCluster(t *testing.T) *syncCluster {
	t.Helper()
	s := &syncCluster{fakeCluster: newFakeCluster(t, 0)}
	s.servers, s.provider.machines = nil, nil
	signer, _, _, err := store.Open(s.env.Home).Key("world")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		s.roots = append(s.roots, filepath.Join(t.TempDir(), "sirikata"))
		server := remotetest.Start(t, remotetest.Config{Authorized: []ssh.PublicKey{signer.PublicKey()},
			Handler: func(cmd string, stdin io.Reader, stdout, stderr io.Writer) int {
				return s.node(t, i, cmd, stdin, stdout, stderr)
			}})
		s.servers = append(s.servers, server)
		s.provider.machines = append(s.provider.machines, provider.Machine{Index: i, Name: cluster.NodeName(i), ID: cluster.NodeName(i),
			Connect: server.Addr, Running: true, HostKey: string(ssh.MarshalAuthorizedKey(server.HostKey()))})
	}
	return s
}

// node runs sirikata-node in this process, for its own directory, and as nobody
// else.
func (s *syncCluster) node(t *testing.T, i int, cmd string, stdin io.Reader, stdout, stderr io.Writer) int {
	words, err := exec.Command("/bin/sh", "-c", `printf '%s\0' `+cmd).Output()
	if err != nil {
		t.Error(err)
	}
	argv := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
	if argv[0] != cluster.NodeProgramPath {
		t.Errorf("unexpected: %s", cmd)
		return 127
	}
	if at := slices.Index(argv, "--path"); at > 0 {
		argv[at+1] = s.roots[i]
	}
	if at := slices.Index(argv, "--owner"); at > 0 {
		if argv[at+1] != "sirikata" {
			t.Errorf("the owner is %q", argv[at+1])
		}
		argv = slices.Delete(argv, at, at+2)
	} else if len(argv) > 2 && (argv[2] == "install" || argv[2] == "switch") {
		t.Errorf("without an owner: %q", argv)
	}
	if s.cut > 0 && i == 1 {
		stdin = io.LimitReader(stdin, s.cut)
	}
	if s.old && i == 2 {
		_, _ = io.WriteString(stderr, "unknown subcommand\n")
		return 2
	}
	return agent.Main(context.Background(), agent.Process{Args: argv, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

// versions are what the nodes are switched to.
func (s *syncCluster) versions(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, root := range s.roots {
		text, err := os.ReadFile(filepath.Join(root, "share/version"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		all = append(all, string(text))
	}
	return all
}

func (s *syncCluster) wantVersions(t *testing.T, want ...string) {
	t.Helper()
	if got := s.versions(t); !slices.Equal(got, want) {
		t.Errorf("versions %q, want %q", got, want)
	}
}

// newInstallation has one file that does not compress.
func newInstallation(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, top := range []string{"bin", "lib", "share"} {
		if err := os.Mkdir(filepath.Join(dir, top), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/space"), content[:2<<20], 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *syncCluster) sync(t *testing.T, dir, version string) []Synced {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "share/version"), []byte(version), 0o644); err != nil {
		t.Fatal(err)
	}
	_, synced, err := s.open(t).SyncSirikata(bounded(t), dir, SyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return synced
}

func wantDone(t *testing.T, synced []Synced) {
	t.Helper()
	for _, node := range synced {
		if node.Err != nil {
			t.Errorf("%v", node.Err)
		}
	}
}

// TestSyncAndBack goes on from where one node missed a sync: a rollback brings all
// to the same release.
func TestSyncAndBack(t *testing.T) {
	s, dir := newSyncCluster(t), newInstallation(t)
	wantDone(t, s.sync(t, dir, "1"))
	again := s.sync(t, dir, "1")
	wantDone(t, again)
	for _, node := range again {
		if node.Sent != 0 || node.Release != node.Before {
			t.Errorf("a second sync did something: %+v", node)
		}
	}
	wantDone(t, s.sync(t, dir, "2"))
	s.cut = 1000
	synced := s.sync(t, dir, "3")
	if synced[0].Err != nil || synced[2].Err != nil {
		t.Errorf("others failed with it: %v, %v", synced[0].Err, synced[2].Err)
	}
	if err := synced[1].Err; err == nil || !strings.Contains(err.Error(), "node1: the transfer was cut off after 1000 of ") {
		t.Errorf("error %v", err)
	}
	s.wantVersions(t, "3", "2", "3")
	back, err := s.open(t).RollbackSirikata(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	wantDone(t, back)
	s.wantVersions(t, "2", "2", "2")
	s.cut = 0
	synced = s.sync(t, dir, "3")
	wantDone(t, synced)
	s.wantVersions(t, "3", "3", "3")
	whole, ok := s.open(t).packages().stream(t.Context(), synced[1].Release)
	if !ok || synced[1].Sent != whole.Size-1000 || synced[0].Sent != 0 {
		t.Errorf("sent %d and %d of %d bytes", synced[0].Sent, synced[1].Sent, whole.Size)
	}
	for range 2 {
		if back, err = s.open(t).RollbackSirikata(bounded(t)); err != nil {
			t.Fatal(err)
		}
		wantDone(t, back)
	}
	s.wantVersions(t, "1", "1", "1")
	if back, err = s.open(t).RollbackSirikata(bounded(t)); err != nil || back[0].Err == nil {
		t.Errorf("there is nothing to go back to: %v, %+v", err, back)
	}
}

// TestSyncPackage has a release in a file, which is the same release.
func TestSyncPackage(t *testing.T) {
	s, dir := newSyncCluster(t), newInstallation(t)
	file := filepath.Join(t.TempDir(), "x.tar.bz2")
	synced := s.sync(t, dir, "1")
	packaged, err := Package(t.Context(), dir, file, nil)
	if err != nil || packaged.Digest != synced[0].Release {
		t.Errorf("digest %s, and of the directory %s (%v)", packaged.Digest, synced[0].Release, err)
	}
	for range 2 { // the second time its digest is known
		digest, synced, err := s.open(t).SyncSirikata(bounded(t), file, SyncOptions{})
		if err != nil || digest != packaged.Digest || synced[0].Sent != 0 {
			t.Errorf("%s, %+v, %v", digest, synced, err)
		}
	}
}

// TestSyncBrokenStream has a stream of which a power cut left the length only.
func TestSyncBrokenStream(t *testing.T) {
	s, dir := newSyncCluster(t), newInstallation(t)
	s.cut = 1000
	synced := s.sync(t, dir, "1")
	s.cut = 0
	file := s.open(t).packages().file(synced[0].Release)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, info.Size()), 0o600); err != nil {
		t.Fatal(err)
	}
	wantDone(t, s.sync(t, dir, "1"))
	s.wantVersions(t, "1", "1", "1")
}

// TestSyncBadSource contacts nobody.
func TestSyncBadSource(t *testing.T) {
	s := newSyncCluster(t)
	for _, server := range s.servers {
		server.Close()
	}
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{junk: "it is not a tar archive", t.TempDir(): `"bin": is missing; "lib": is missing; "share": is missing`,
		"/nowhere": "no such file"} {
		if _, _, err := s.open(t).SyncSirikata(bounded(t), path, SyncOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSyncForeignAndOld(t *testing.T) {
	s, dir := newSyncCluster(t), newInstallation(t)
	if err := os.MkdirAll(filepath.Join(s.roots[0], "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.old = true
	synced := s.sync(t, dir, "1")
	if err := synced[0].Err; err == nil || !strings.Contains(err.Error(), "is not empty and holds no releases: there is mine in it") ||
		!strings.Contains(cluster.HintOf(err), "--in-place") {
		t.Errorf("a directory of somebody's: %v, hint %q", err, cluster.HintOf(err))
	}
	if err := synced[2].Err; err == nil || !strings.Contains(cluster.HintOf(err), "fix corosync world") {
		t.Errorf("an old program: %v, hint %q", err, cluster.HintOf(err))
	}
	s.wantVersions(t, "", "1", "")
}

// TestPackageLeavesNothing breaks off, and fails.
func TestPackageLeavesNothing(t *testing.T) {
	dir, out := newInstallation(t), t.TempDir()
	file := filepath.Join(out, "x.tar.bz2")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	mine := errors.New("mine")
	if _, err := Package(ctx, dir, file, func(int64, int64) { cancel(mine) }); !errors.Is(err, mine) {
		t.Errorf("error %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	if _, err := Package(t.Context(), dir, file, nil); err == nil || !strings.Contains(cluster.HintOf(err), "make install") {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
	entries, err := os.ReadDir(out)
	content, readErr := os.ReadFile(file)
	if err != nil || readErr != nil || len(entries) != 1 || string(content) != "before" {
		t.Errorf("%v: %q (%v, %v)", entries, content, err, readErr)
	}
	if _, err := Package(t.Context(), dir, out, nil); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("error %v", err)
	}
}

func TestSyncFiles(t *testing.T) {
	s := newSyncCluster(t)
	here, there := filepath.Join(t.TempDir(), "it's here"), filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(here, []byte("text"), 0o640); err != nil {
		t.Fatal(err)
	}
	g := s.open(t)
	copied, err := g.SyncFiles(bounded(t), "node2", FileEnd{false, here}, FileEnd{true, there + "/"}, nil)
	if want := (Copied{Path: there + "/it's here", Files: 1, Bytes: 4}); copied != want || err != nil {
		t.Errorf("copied %+v, %v", copied, err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if _, err := g.SyncFiles(bounded(t), "2", FileEnd{true, copied.Path}, FileEnd{false, back}, nil); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(back); string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	for _, test := range []struct {
		from, to FileEnd
		want     string
	}{
		{FileEnd{true, "/none"}, FileEnd{false, back}, "node2: send /none: lstat /none: no such file or directory"},
		{FileEnd{false, "/none"}, FileEnd{true, there}, "send /none: lstat /none: no such file or directory"},
		{FileEnd{false, here}, FileEnd{true, there}, "node2: receive " + there + ": " + there + " is a directory: end it with a / to copy into it"},
		{FileEnd{false, here}, FileEnd{false, there}, "invalid copy from local:" + here + " to local:" + there + ": one of them is local: and the other one remote:"},
	} {
		if _, err := g.SyncFiles(bounded(t), "node2", test.from, test.to, nil); err == nil || err.Error() != test.want {
			t.Errorf("%v to %v: error\n%v\nwant\n%s", test.from, test.to, err, test.want)
		}
	}
	for _, text := range []string{"/x", "local", "local:", "remote:x", "other:/x"} {
		if end, err := ParseFileEnd(text); err == nil {
			t.Errorf("%q is %v", text, end)
		}
	}
}
