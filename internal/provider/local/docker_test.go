package local

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// fakeTool puts a tool on an otherwise empty PATH that runs the shell script.
func fakeTool(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		text := "#!/bin/sh\nPATH=/usr/bin:/bin\n" + script
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// stderrOf is a script that fails with a recorded text on standard error.
func stderrOf(t *testing.T, file string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return "cat " + path + " >&2; exit 1"
}

func TestErrorsOfTheMachine(t *testing.T) {
	spec := cluster.Spec{Name: "world", Size: 1}
	for _, test := range []struct {
		name, script string
		is           error
		message      string
		hint         string
	}{
		{
			name: "no client", is: ErrToolMissing,
			message: `find nodes of cluster "world": run docker: not installed`,
			hint:    "sudo apt-get install docker.io",
		}, {
			name: "engine down", script: stderrOf(t, "down-28.2.2.stderr"), is: ErrEngineDown,
			message: `find nodes of cluster "world": docker ps: Cannot connect to the Docker daemon ` +
				`at unix:///nonexistent/docker.sock. Is the docker daemon running?`,
			hint: "sudo systemctl start docker",
		}, {
			name: "no permission", script: stderrOf(t, "permission-28.2.2.stderr"), is: ErrPermission,
			message: `find nodes of cluster "world": docker ps: permission denied while trying to connect to the Docker ` +
				`daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/containers/json": ` +
				`dial unix /var/run/docker.sock: connect: permission denied`,
			hint: "usermod -aG docker",
		}, {
			name: "disk full", is: ErrNoSpace,
			script: `echo "Error response from daemon: mkdir /var/lib/docker/overlay2/1: no space left on device" >&2; exit 1`,
			message: `find nodes of cluster "world": docker ps: ` +
				`mkdir /var/lib/docker/overlay2/1: no space left on device`,
			hint: "docker system df",
		}, {
			name: "the client's advice is not the reason", is: nil,
			script: `printf '%s\n' "Error response from daemon: it rains" "Error: failed to start containers: x" ` +
				`"See 'docker ps --help'." >&2; exit 125`,
			message: `find nodes of cluster "world": docker ps: it rains`,
		}, {
			name: "silent", script: "exit 3",
			message: `find nodes of cluster "world": docker ps: exit status 3`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakeTool(t, "docker", test.script)
			_, err := New(Options{}).Find(t.Context(), spec)
			if err == nil || err.Error() != test.message {
				t.Fatalf("error\n%v\nwant\n%s", err, test.message)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not %v", err, test.is)
			}
			if hint := cluster.HintOf(err); !strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
				t.Errorf("hint %q lacks %q", hint, test.hint)
			}
		})
	}
}

func TestBuildWithoutMmdebstrap(t *testing.T) {
	fakeTool(t, "docker", `echo "Error: No such image: x" >&2; exit 1`)
	t.Setenv("TMPDIR", t.TempDir())
	_, built, err := New(Options{}).BuildImage(t.Context(), false, &bytes.Buffer{})
	if !errors.Is(err, ErrToolMissing) || built {
		t.Fatalf("built %v, error %v, want %v", built, err, ErrToolMissing)
	}
	if hint := cluster.HintOf(err); !strings.Contains(hint, "apt-get install mmdebstrap") {
		t.Errorf("hint %q", hint)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "sirikata-cluster-image-*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestCancelKillsTool checks that a cancelled command ends the tool and its
// children, and says why.
func TestCancelKillsTool(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "children")
	fakeTool(t, "docker", "sleep 60 & echo $! >"+pipe+"; wait")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := New(Options{}).Find(ctx, cluster.Spec{Name: "world"})
		done <- err
	}()
	waitFor(t, "the tool to start", func() bool {
		text, err := os.ReadFile(pipe)
		return err == nil && bytes.HasSuffix(text, []byte("\n"))
	})
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the command still runs")
	}
	text, err := os.ReadFile(pipe)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the tool's child to end", func() bool {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}

// waitFor waits until the condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAuthorizeOff(t *testing.T) {
	fakeTool(t, "docker", `echo "Error response from daemon: Container 12 is not running" >&2; exit 1`)
	machine := provider.Machine{Name: "node1", ID: "12"}
	err := New(Options{}).Authorize(t.Context(), machine, testKey)
	if err == nil || err.Error() != "node1: authorize a key: docker exec: Container 12 is not running" {
		t.Errorf("error %v", err)
	}
	if hint := cluster.HintOf(err); hint != "power it on first: node1 is off" {
		t.Errorf("hint %q", hint)
	}
}

func TestCommandName(t *testing.T) {
	for want, args := range map[string][]string{
		"docker ps":                {"ps", "--all"},
		"docker network create":    {"network", "create", "--driver", "bridge"},
		"docker container inspect": {"container", "inspect", "1", "2"},
		"docker start":             {"start", "1"},
		"docker":                   {"--version"},
	} {
		if got := (command{program: "docker", args: args}).name(); got != want {
			t.Errorf("%v: %q, want %q", args, got, want)
		}
	}
}
