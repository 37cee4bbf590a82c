//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestAddServices adds many in one transaction, and one that cannot start.
func TestAddServices(t *testing.T) {
	c := shared(t)
	const n = 12
	var services []cluster.Service
	for i := range n {
		id := fmt.Sprintf("file-%02d", i)
		c.removeAtEnd(t, id)
		services = append(services, cluster.Service{ID: id, Target: cluster.Any, Command: sleeper(id),
			Monitor: 5, Failover: true, ForceDaemonize: true})
	}
	bad := cluster.Service{ID: "file-bad", Target: cluster.Any, Command: []string{"/bin/none"}, Failover: true, Monitor: 5}
	text, err := json.Marshal(append(services, bad))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.run(t, "add", "services", c.name, file).fails(t, 1, `add service "file-bad"`, `binary "/bin/none" does not exist`)
	lines := c.commandLines()
	for _, service := range services {
		at := c.where(t, service.ID)
		if found := lines.on("sleep " + service.ID); !slices.Equal(found, []string{at}) {
			t.Errorf("service %s runs on %v, and Pacemaker says on %q", service.ID, found, at)
		}
	}
	c.leavesNothing(t, bad.ID)
	// Without it, the file is what the cluster has.
	text, err = json.Marshal(services)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.run(t, "add", "services", c.name, file).ok(t).says(t, `"file-00" runs on`, "already")
}
