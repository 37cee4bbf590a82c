package local

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestInotify(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit string
		nodes int
		want  string
	}{
		{"enough", "128\n", 21, "128\n"},
		{"too low", "128\n", 22, "8192\n"},
		{"not a number", "x\n", 99, "x\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "max_user_instances")
			if err := os.WriteFile(file, []byte(test.limit), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := (inotify{file: file}).ensure(test.nodes); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil || string(got) != test.want {
				t.Errorf("limit %q, want %q (%v)", got, test.want, err)
			}
		})
	}
	if err := (inotify{file: filepath.Join(t.TempDir(), "none")}).ensure(99); err != nil {
		t.Errorf("no such limit on this system: %v", err)
	}
}

func TestInotifyNotAllowed(t *testing.T) {
	// The kernel lets everybody read this one, and nobody write it.
	const readOnly = "/proc/sys/kernel/random/entropy_avail"
	if _, err := os.Stat(readOnly); err != nil {
		t.Skipf("this test needs Linux: %v", err)
	}
	err := (inotify{file: readOnly}).ensure(1 << 20)
	if err == nil || !strings.Contains(err.Error(), "inotify instances is too low") {
		t.Fatalf("error %v", err)
	}
	if _, ok := err.(interface{ Unwrap() error }); !ok {
		t.Errorf("%v does not unwrap to %T", err, &fs.PathError{})
	}
	if hint := cluster.HintOf(err); hint != "raise it: sudo sysctl fs.inotify.max_user_instances=8192" {
		t.Errorf("hint %q", hint)
	}
}
