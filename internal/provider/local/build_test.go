//go:build lab

package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCancelBuild: a build that is stopped leaves no file and no mount behind.
func TestCancelBuild(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithCancel(t.Context())
	var begin time.Time
	log := writerFunc(func(text []byte) (int, error) {
		t.Logf("%s", text)
		if strings.Contains(string(text), "installing essential") {
			cancel()
			begin = time.Now()
		}
		return len(text), nil
	})
	_, built, err := testProvider(Options{}).BuildImage(ctx, true, log)
	if !errors.Is(err, context.Canceled) || built {
		t.Errorf("built %v, error %v, want %v", built, err, context.Canceled)
	}
	t.Logf("returned %v after the cancel", time.Since(begin))
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	left = slices.DeleteFunc(left, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".lock") })
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), dir) {
		t.Errorf("mounts left behind (%v):\n%s", err, mounts)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }
