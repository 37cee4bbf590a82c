package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// busyEngine is a docker with one container and one network, each of which it
// refuses to remove the first two times. It returns the log of what was removed.
func busyEngine(t *testing.T) (removed string) {
	t.Helper()
	dir := t.TempDir()
	fakeTool(t, "docker", `cd `+dir+`
busy() { # NAME WORDS: fails twice
	echo x >>tries-$1
	[ "$(wc -l <tries-$1)" -gt 2 ] && { echo $1 >>removed; return; }
	echo "Error response from daemon: $2" >&2; exit 1
}
case "$1 $2" in
"ps --all") case "$*" in *`+indexLabel+`*) echo c0 ;; esac ;;
"container inspect") echo '[{"Id":"c0","Config":{"Labels":{"`+indexLabel+`":"0"}}}]' ;;
"network ls") echo n0 ;;
"rm --force") busy container "removal of container c0 is already in progress" ;;
"network rm") busy network "error while removing network: network n0 has active endpoints" ;;
esac`)
	return filepath.Join(dir, "removed")
}

// TestReleaseWaits: the engine takes a container off its network a moment after
// it reports the container removed.
func TestReleaseWaits(t *testing.T) {
	removed := busyEngine(t)
	if err := New(Options{}).Release(t.Context(), cluster.Spec{Name: "world", Size: 1}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(removed); string(got) != "container\nnetwork\n" {
		t.Errorf("removed %q", got)
	}
}

// TestReleaseGivesUp: a network that stays in use is told of, with the reason.
func TestReleaseGivesUp(t *testing.T) {
	fakeTool(t, "docker", `case "$1 $2" in
"network ls") echo n0 ;;
"network rm") echo "Error response from daemon: network n0 has active endpoints" >&2; exit 1 ;;
esac`)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := New(Options{}).Release(ctx, cluster.Spec{Name: "world", Size: 1})
	if err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Fatalf("error %v", err)
	}
}
