package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestKeyRace: whoever asks gets the same key, and one of them made it.
func TestKeyRace(t *testing.T) {
	s := testStore(t)
	var (
		wait    sync.WaitGroup
		lines   [8]string
		created [8]bool
	)
	for i := range lines {
		wait.Go(func() {
			signer, line, made, err := s.Key("world")
			if err != nil {
				t.Error(err)
				return
			}
			public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
			if err != nil || !bytes.Equal(public.Marshal(), signer.PublicKey().Marshal()) {
				t.Errorf("%q is not the signer's (%v)", line, err)
			}
			lines[i], created[i] = line, made
		})
	}
	wait.Wait()
	count := 0
	for i := range lines {
		if lines[i] != lines[0] {
			t.Errorf("two keys: %s and %s", lines[0], lines[i])
		}
		if created[i] {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d made the key", count)
	}
	public, err := os.ReadFile(s.IdentityFile("world") + ".pub")
	if err != nil || string(public) != lines[0]+"\n" {
		t.Errorf("public key file %q, %v", public, err)
	}
	if !strings.HasSuffix(lines[0], " sirikata-cluster-world") {
		t.Errorf("no comment: %s", lines[0])
	}
}

// TestKeyForOpenSSH checks that the system's tools read our file.
func TestKeyForOpenSSH(t *testing.T) {
	tool, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s := testStore(t)
	_, line, _, err := s.Key("world")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "-y", "-f", s.IdentityFile("world")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != line {
		t.Errorf("ssh-keygen says %q (%v), want %q", out, err, line)
	}
}

func TestKeyCorrupt(t *testing.T) {
	s := testStore(t)
	if err := os.WriteFile(s.IdentityFile("world"), []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, _, err := s.Key("world")
	corrupt, ok := errors.AsType[*CorruptError](err)
	if !ok || corrupt.File != s.IdentityFile("world") || cluster.HintOf(err) == "" {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
}

func TestCache(t *testing.T) {
	s := testStore(t)
	type machine struct{ ID string }
	var got []machine
	if found, err := s.LoadCache("world", "machines", &got); found || err != nil {
		t.Errorf("before: %v, %v", found, err)
	}
	if err := s.SaveCache("world", "machines", []machine{{"a"}, {"b"}}); err != nil {
		t.Fatal(err)
	}
	if found, err := s.LoadCache("world", "machines", &got); !found || err != nil || len(got) != 2 || got[1].ID != "b" {
		t.Errorf("after: %v, %v, %v", found, err, got)
	}
	for _, text := range []string{`{"format":1,"data":[{`, `{"format":9,"data":[]}`, `{"format":1,"data":7}`, ""} {
		if err := os.WriteFile(s.path("world", "machines.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := s.LoadCache("world", "machines", &got); found || err != nil {
			t.Errorf("%s: %v, %v", text, found, err)
		}
	}
	for _, key := range []string{"", "spec", "a/b", "x.y"} {
		if err := s.SaveCache("world", key, 1); err == nil {
			t.Errorf("key %q: no error", key)
		}
	}
	if err := s.SaveCache("world", "machines", func() {}); err == nil {
		t.Error("no error for what is not JSON")
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		cause error
		want  string
		hint  string
	}{
		{syscall.EACCES, "write /s/clusters/w/spec.json: permission denied", "ls -la /s/clusters/w"},
		{syscall.ENOSPC, "write /s/clusters/w/spec.json: no space left on device", "df -h /s/clusters/w"},
		{syscall.EROFS, "write /s/clusters/w/spec.json: read-only file system", "SIRIKATA_CLUSTER_HOME"},
		{syscall.EIO, "write /s/clusters/w/spec.json: input/output error", ""},
	} {
		err := explain("write", "/s/clusters/w/spec.json", &fs.PathError{Op: "open", Path: "/s/clusters/w/.spec.json1", Err: test.cause})
		hint := cluster.HintOf(err)
		if err.Error() != test.want || !errors.Is(err, test.cause) ||
			!strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%v: %v, hint %q", test.cause, err, hint)
		}
	}
}

// TestDiskFull writes to a real full file system where there is one to use.
func TestDiskFull(t *testing.T) {
	err := os.WriteFile("/dev/full", []byte("x"), 0)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this test needs /dev/full: %v", err)
	}
	if hint := cluster.HintOf(explain("write", "/s/x", err)); !strings.Contains(hint, "make room") {
		t.Errorf("hint %q", hint)
	}
}

func TestNotADirectory(t *testing.T) {
	s := Open("/dev/null")
	if _, err := s.Create(testSpec("world")); err == nil || !strings.Contains(err.Error(), "/dev/null/clusters/world") {
		t.Errorf("error %v", err)
	}
}
