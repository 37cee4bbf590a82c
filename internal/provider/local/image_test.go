package local

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImageName(t *testing.T) {
	name, err := imageName()
	if err != nil || !regexp.MustCompile(`^sirikata-cluster/node:[0-9a-f]{12}$`).MatchString(name) {
		t.Fatalf("%q, %v", name, err)
	}
	if again, err := imageName(); again != name || err != nil {
		t.Errorf("%q at the second time, %v", again, err)
	}
}

// TestBuildFails: the tool's own reason is in the error, and all it said in the log.
func TestBuildFails(t *testing.T) {
	fakeTool(t, mmdebstrap, `echo "I: so far so good"; echo "E: no such mirror" >&2; exit 25`)
	var log bytes.Buffer
	err := New(Options{Mirror: "http://mirror.invalid"}).debstrap(t.Context(), t.TempDir(), "out.tar", &log)
	if os.Geteuid() == 0 {
		// unshare(1) is not on the PATH of this test: root needs it.
		if !errors.Is(err, ErrToolMissing) {
			t.Fatalf("error %v", err)
		}
		err = runTool(t.Context(), command{program: mmdebstrap, title: mmdebstrap, log: &log})
	}
	if err == nil || err.Error() != "mmdebstrap: E: no such mirror" {
		t.Errorf("error %v", err)
	}
	for _, line := range []string{"I: so far so good\n", "E: no such mirror\n"} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("log %q lacks %q", log.String(), line)
		}
	}
}

func TestUnpackRecipe(t *testing.T) {
	dir := t.TempDir()
	if err := unpackRecipe(dir); err != nil {
		t.Fatal(err)
	}
	modes := make(map[string]fs.FileMode)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		modes[name] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{
		"customize.sh": 0o755,
		"packages.txt": 0o644,
		"files/etc/ssh/sshd_config.d/sirikata.conf":                     0o644,
		"files/etc/systemd/journald.conf.d/sirikata.conf":               0o644,
		"files/etc/systemd/system/redis-server.service.d/sirikata.conf": 0o644,
		"files/usr/lib/sirikata/init":                                   0o755,
	}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
