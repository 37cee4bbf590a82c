//go:build lab

package puppet

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// labNode starts a container and connects to its sshd as root. It is removed at
// the end of the test.
func labNode(t *testing.T) *remote.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	host := remotetest.StartContainer(t).Host
	node, err := remote.WaitDial(ctx, host, remote.NewHostKeys("lab", filepath.Join(t.TempDir(), "pins"), ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	return node
}

// output runs a shell line on the node.
func output(t *testing.T, node *remote.Client, line string) string {
	t.Helper()
	out, err := node.Output(t.Context(), "sh", "-c", line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
