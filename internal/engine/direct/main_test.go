package direct

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// TestMain makes the test's program sirikata-node, too: nodes of the tests are
// given a script that calls it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case protocol.Serve:
			os.Exit(keeper.Serve(context.Background(), os.Environ(), os.Stdin, os.Stdout, os.Stderr))
		case protocol.Keep:
			os.Exit(keeper.Keep(os.Stdin, os.Stdout))
		}
	}
	os.Exit(m.Run())
}

// program is the sirikata-node of the tests.
func program(string) ([]byte, string, error) {
	binary, err := os.Executable()
	// With the race detector every program would take a second to end.
	content := []byte("#!/bin/sh\nGORACE=atexit_sleep_ms=0 exec '" + binary + "' \"$@\"\n")
	sum := sha256.Sum256(content)
	return content, hex.EncodeToString(sum[:]), err
}

// fleet is nodes behind real SSH, with a real sirikata-node and real processes.
type fleet struct {
	spec    cluster.Spec
	nodes   []cluster.Node
	servers []*remotetest.Server
	keys    string

	mu   sync.Mutex
	said []string
}

// newFleet starts n nodes, node0 and so on, whose working path is their own.
func newFleet(t *testing.T, n int, configure ...func(int, *remotetest.Config)) *fleet {
	t.Helper()
	f := &fleet{keys: filepath.Join(t.TempDir(), "pins"), spec: cluster.Spec{
		Name: "world", Type: cluster.AdHoc, Engine: cluster.Direct, Size: n, LoginUser: "tester",
	}}
	for i := range n {
		config := remotetest.Config{Real: true}
		for _, each := range configure {
			each(i, &config)
		}
		server := remotetest.Start(t, config)
		name := cluster.NodeName(i)
		f.servers = append(f.servers, server)
		f.spec.Hosts = append(f.spec.Hosts, cluster.Host{Index: i, Name: name, DNSName: name,
			WorkspacePath: server.Root, WorkingPath: server.Root})
		f.nodes = append(f.nodes, cluster.Node{Index: i, Name: name, FQDN: name + ".example.org", Capabilities: []string{}})
	}
	t.Cleanup(func() { f.removeAll(t) })
	return f
}

// engine is one operator's.
func (f *fleet) engine(t *testing.T) *Engine {
	t.Helper()
	var hosts []remote.Host
	for i, server := range f.servers {
		hosts = append(hosts, server.Host(f.nodes[i].Name))
	}
	pool := remote.NewPool(hosts, remote.NewHostKeys("world", filepath.Join(t.TempDir(), "pins"), ""))
	t.Cleanup(func() { _ = pool.Close() })
	return New(f.spec, f.nodes, pool, program, func(line string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.said = append(f.said, line)
	})
}

// removeAll leaves no process behind, not even of a node that is off by now.
func (f *fleet) removeAll(t *testing.T) {
	for i, server := range f.servers {
		records, err := filepath.Glob(filepath.Join(server.Root, beside.StateDirectory, "*", "*", "services", "*"))
		if err != nil {
			t.Error(err)
		}
		for _, record := range records {
			request := fmt.Sprintf(`{"action":"remove","directory":%q,"node":{"name":%q},"ids":[%q]}`,
				filepath.Dir(filepath.Dir(filepath.Dir(record))), f.nodes[i].Name, filepath.Base(record))
			if code := keeper.Serve(context.Background(), nil, strings.NewReader(request), new(strings.Builder), new(strings.Builder)); code != 0 {
				t.Errorf("%s of %s could not be removed", filepath.Base(record), f.nodes[i].Name)
			}
		}
	}
}

// sleeper is a service that stays in the foreground.
func sleeper(id, target string) cluster.Service {
	return cluster.Service{ID: id, Target: target, ForceDaemonize: true, Command: []string{"/bin/sh", "-c", "echo $0 begins; exec sleep 1000", id}}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// add adds services that are to run.
func add(t *testing.T, e *Engine, services ...cluster.Service) map[string]string {
	t.Helper()
	added, err := e.Add(within(t), services)
	if err != nil {
		t.Fatal(err)
	}
	on := map[string]string{}
	for _, a := range added {
		on[a.ID] = a.Node
	}
	return on
}

func wantAdded(t *testing.T, got []engine.Added, want ...engine.Added) {
	t.Helper()
	byID := cmpopts.SortSlices(func(a, b engine.Added) bool { return a.ID < b.ID })
	if diff := cmp.Diff(want, got, byID, cmpopts.IgnoreFields(engine.Added{}, "Took"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func status(t *testing.T, e *Engine) cluster.Status {
	t.Helper()
	status, err := e.Status(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// stateOf is what a service does.
func stateOf(t *testing.T, e *Engine, id string) cluster.ServiceStatus {
	t.Helper()
	service, ok := status(t, e).Service(id)
	if !ok {
		t.Fatalf("there is no service %q", id)
	}
	return service
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited 20s for %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var errGaveUp = errors.New("gave up")
