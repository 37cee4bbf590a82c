//go:build lab

package local

import (
	"context"
	"errors"
	"io"
	"net/netip"
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
		for _, check := range []struct{ command, want string }{
			{"hostname", m.Name},
			{"systemctl --failed --no-legend", ""},
			{"stat -c %a:%U /root/.ssh", "700:root"},
			{"stat -c %a:%U /etc/ssh/ssh_host_ed25519_key", "600:root"},
			{"stat -c %a:%U /root/.ssh/authorized_keys", "600:root"},
			{"cat /root/.ssh/authorized_keys", testKey},
			{"cat /etc/ssh/ssh_host_ed25519_key.pub", m.HostKey},
			{"id -u sirikata", "1000"},
			{"stat -c %U /home/sirikata", "sirikata"},
			{"df --output=size -BM /dev/shm", "1M-blocks\n     512M"},
			{"systemctl is-active corosync pacemaker puppet redis-server memcached mosquitto || true", strings.Repeat("inactive\n", 6)},
			{"systemctl start redis-server memcached mosquitto", ""},
			{"redis-cli ping", "PONG"},
		} {
			if got := on(t, p, m, "sh", "-c", check.command); got != strings.TrimSpace(check.want) {
				t.Errorf("%s: %s: %q, want %q", m.Name, check.command, got, check.want)
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

// TestAuthorizeOnce: a key that is let in already is not written again, and one
// that follows a line without its end does not spoil it.
func TestAuthorizeOnce(t *testing.T) {
	needEngine(t)
	p := testProvider(Options{})
	m := boot(t, p, testSpec(t, 1))[0]
	second := strings.Replace(testKey, " me", " you", 1)
	for _, key := range []string{testKey, second, second + "\n"} {
		if err := p.Authorize(t.Context(), m, key); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := on(t, p, m, "cat", "/root/.ssh/authorized_keys"), testKey+"\n"+second; got != want {
		t.Errorf("authorized keys %q, want %q", got, want)
	}
	on(t, p, m, "truncate", "--size=-1", "/root/.ssh/authorized_keys")
	third := strings.Replace(testKey, " me", " they", 1)
	if err := p.Authorize(t.Context(), m, third); err != nil {
		t.Fatal(err)
	}
	if got, want := on(t, p, m, "cat", "/root/.ssh/authorized_keys"), testKey+"\n"+second+"\n"+third; got != want {
		t.Errorf("authorized keys %q, want %q", got, want)
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
