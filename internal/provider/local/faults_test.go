//go:build lab

package local

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// boot allocates a cluster that is released with the test.
func boot(t *testing.T, p *Provider, spec cluster.Spec) []provider.Machine {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Release(ctx, spec); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	machines, err := p.Allocate(t.Context(), spec, testKey, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatalf("allocate: %v\nhint: %s", err, cluster.HintOf(err))
	}
	return machines
}

// on runs a command on a node and returns what it says.
func on(t *testing.T, p *Provider, m provider.Machine, args ...string) string {
	t.Helper()
	out, err := p.docker.run(t.Context(), nil, append([]string{"exec", m.ID}, args...)...)
	if err != nil {
		t.Fatalf("%s: %v: %v", m.Name, args, err)
	}
	return strings.TrimSpace(string(out))
}

// TestNode checks what every later step takes for granted of a fresh node.
func TestNode(t *testing.T) {
	needEngine(t)
	p := testProvider(Options{})
	machines := boot(t, p, testSpec(t, 2))
	ids := make(map[string]bool)
	for i, m := range machines {
		waitFor(t, m.Name+" to boot", func() bool {
			out, _ := p.docker.run(t.Context(), nil, "exec", m.ID, "systemctl", "is-system-running", "--wait")
			return strings.TrimSpace(string(out)) == "running"
		})
		for command, want := range map[string]string{
			"hostname":                       m.Name,
			"systemctl --failed --no-legend": "",
			"stat -c %a:%U /root/.ssh":       "700:root",
			"cat /root/.ssh/authorized_keys": testKey,
			"stat -c %a:%U /etc/ssh/ssh_host_ed25519_key /root/.ssh/authorized_keys": "600:root\n600:root",
			"cat /etc/ssh/ssh_host_ed25519_key.pub":                                  m.HostKey,
			"id -u sirikata":                                                         "1000",
			"stat -c %U /home/sirikata":                                              "sirikata",
			"df --output=size -BM /dev/shm":                                          "1M-blocks\n     512M",
			"systemctl start redis-server memcached mosquitto":                       "",
			"redis-cli ping":                                                         "PONG",
		} {
			if got := on(t, p, m, strings.Fields(command)...); got != strings.TrimSpace(want) {
				t.Errorf("%s: %s: %q, want %q", m.Name, command, got, want)
			}
		}
		id := on(t, p, m, "cat", "/etc/machine-id")
		if len(id) != 32 || ids[id] {
			t.Errorf("%s: machine id %q", m.Name, id)
		}
		ids[id] = true
		other := machines[1-i]
		if got := on(t, p, m, "getent", "hosts", other.Name); !strings.HasPrefix(got, other.Address+" ") {
			t.Errorf("%s: %s is %q, want %s", m.Name, other.Name, got, other.Address)
		}
	}
}

// TestUnfinished: a container that was made but never started, as a killed
// Allocate leaves it, is no machine, and is made again.
func TestUnfinished(t *testing.T) {
	needEngine(t)
	p := testProvider(Options{})
	spec := testSpec(t, 1)
	first := boot(t, p, spec)
	a := &allocation{Provider: p, name: spec.Name, image: mustImage(t), cgroup: "1", subnet: mustNetwork(t, p, spec)}
	if _, err := p.docker.run(t.Context(), nil, a.createArgs(1, "ssh-ed25519 AAAA")...); err != nil {
		t.Fatal(err)
	}
	spec.Size = 2
	if found, err := p.Find(t.Context(), spec); err != nil || !cmp.Equal(found, first) {
		t.Errorf("find: %v, %v", found, err)
	}
	machines := boot(t, p, spec)
	if len(machines) != 2 || machines[0] != first[0] {
		t.Fatalf("machines %+v, want %+v and one more", machines, first)
	}
	if got := on(t, p, machines[1], "cat", "/root/.ssh/authorized_keys"); got != testKey {
		t.Errorf("authorized keys %q", got)
	}
}

// TestCancelled: an Allocate that is stopped in the middle returns at once, and
// the next one finishes its work.
func TestCancelled(t *testing.T) {
	needEngine(t)
	p := testProvider(Options{})
	mustBuild(t, p)
	spec := testSpec(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := p.Allocate(ctx, spec, testKey, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if machines := boot(t, p, spec); len(machines) != 4 {
		t.Errorf("%d machines", len(machines))
	}
}

// TestNetworkLost: docker network prune removes the network of a cluster that
// is powered off. It comes back with the addresses that the nodes know.
func TestNetworkLost(t *testing.T) {
	needEngine(t)
	p := testProvider(Options{})
	spec := testSpec(t, 2)
	before := boot(t, p, spec)
	for _, m := range before {
		if err := p.Stop(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.docker.run(t.Context(), nil, "network", "rm", networkName(spec.Name)); err != nil {
		t.Fatal(err)
	}
	// The same, killed half-way: node1 is on no network at all.
	subnet := netip.MustParsePrefix(before[0].Address + "/24").Masked()
	if _, err := p.network(t.Context(), spec.Name, subnet); err != nil {
		t.Fatal(err)
	}
	if _, err := p.docker.run(t.Context(), nil, "network", "disconnect", "--force", networkName(spec.Name), before[1].ID); err != nil {
		t.Fatal(err)
	}
	after := boot(t, p, spec)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("machines (-before +after):\n%s", diff)
	}
	if got := on(t, p, after[0], "ip", "-4", "-br", "addr", "show", "eth0"); !strings.Contains(got, before[0].Address+"/24") {
		t.Errorf("addresses of node0: %q", got)
	}
}

// TestAtOnce: clusters that are made at the same time get networks of their own.
func TestAtOnce(t *testing.T) {
	needEngine(t)
	p := testProvider(Options{})
	mustBuild(t, p)
	specs := make([]cluster.Spec, 4)
	for i := range specs {
		specs[i] = testSpec(t, 1)
		t.Cleanup(func() { _ = p.Release(context.WithoutCancel(t.Context()), specs[i]) })
	}
	if err := each(specs, func(spec cluster.Spec) error {
		_, err := p.Allocate(t.Context(), spec, testKey, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

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

// mustBuild has the image there before the clock of a test starts.
func mustBuild(t *testing.T, p *Provider) {
	t.Helper()
	if _, _, err := p.BuildImage(t.Context(), false, io.Discard); err != nil {
		t.Fatal(err)
	}
}

func mustNetwork(t *testing.T, p *Provider, spec cluster.Spec) netip.Prefix {
	t.Helper()
	subnet, err := p.network(t.Context(), spec.Name, netip.Prefix{})
	if err != nil {
		t.Fatal(err)
	}
	return subnet
}

func mustImage(t *testing.T) string {
	t.Helper()
	name, err := imageName()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
