//go:build lab

package local

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/provider/providertest"
)

// testLabel is on all that these tests make, so that what a killed run left is
// found by the next.
const testLabel = "org.sirikata.test"

func TestMain(m *testing.M) {
	cleanUp()
	code := m.Run()
	cleanUp()
	os.Exit(code)
}

// cleanUp removes what earlier runs left. Without an engine there is nothing.
func cleanUp() {
	d := docker{program: "docker"}
	filter := "label=" + testLabel + "=local"
	ctx := context.Background()
	if ids, err := d.lines(ctx, "ps", "--all", "--quiet", "--filter", filter); err == nil && len(ids) > 0 {
		_, _ = d.run(ctx, nil, append([]string{"rm", "--force", "--volumes"}, ids...)...)
	}
	if ids, err := d.lines(ctx, "network", "ls", "--quiet", "--filter", filter); err == nil && len(ids) > 0 {
		_, _ = d.run(ctx, nil, append([]string{"network", "rm"}, ids...)...)
	}
}

// needEngine skips where there is no engine, but fails in CI.
func needEngine(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "version").CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("this test needs a Docker engine: %v\n%s", err, out)
	}
	t.Skipf("this test needs a Docker engine: %v", err)
}

func testSpec(t *testing.T, size int) cluster.Spec {
	t.Helper()
	name := "t-" + strings.ToLower(rand.Text()[:6])
	return cluster.Spec{Name: name, Type: cluster.Local, Engine: cluster.Pacemaker, Size: size, TokenProfile: cluster.LAN}
}

// losing can lose a container, see [providertest.Loser].
type losing struct{ *Provider }

func (l losing) Lose(ctx context.Context, m provider.Machine) error { return l.remove(ctx, m.ID) }

func testProvider(options Options) *Provider {
	options.Labels = map[string]string{testLabel: "local"}
	return New(options)
}

func TestSuite(t *testing.T) {
	needEngine(t)
	for name, options := range map[string]Options{
		"container addresses": {},
		"published ports":     {PublishSSH: true},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(*testing.T) provider.Provider { return losing{testProvider(options)} }, testSpec(t, 3))
		})
	}
}
