//go:build lab

package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// lab is one container with systemd, in which the built program runs as the
// resource agent.
type lab struct{ container string }

const (
	labLabel = "sirikata-agent-lab"
	labAgent = "/usr/lib/ocf/resource.d/sirikata/service"
	labUser  = "svc"
)

// newLab makes the container from the image in SIRIKATA_LAB_IMAGE (systemd,
// journald, perl, redis-server, memcached), with what a local node gets.
func newLab(t *testing.T) lab {
	t.Helper()
	image := os.Getenv("SIRIKATA_LAB_IMAGE")
	if image == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("SIRIKATA_LAB_IMAGE is not set")
		}
		t.Skip("SIRIKATA_LAB_IMAGE is not set: the name of an image with systemd and the daemons")
	}
	binary := t.TempDir() + "/sirikata-node"
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "../../cmd/sirikata-node")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build sirikata-node: %v\n%s", err, out)
	}
	l := lab{strings.TrimSpace(docker(t, "run", "--detach", "--label", labLabel,
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--shm-size", "512m",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
		"--stop-signal", "SIGRTMIN+3", image))}
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", l.container) })
	waitFor(t, 30*time.Second, "systemd", func() (bool, string) {
		out, _ := exec.Command("docker", "exec", l.container, "systemctl", "is-system-running", "--wait").CombinedOutput()
		state := strings.TrimSpace(string(out))
		return state == "running" || state == "degraded", state
	})
	node, err := json.Marshal(cluster.NodeFile{FQDN: "n.example.org", ServiceUser: labUser, WorkingPath: "/tmp", SirikataPath: "/opt/sirikata"})
	if err != nil {
		t.Fatal(err)
	}
	l.sh(t, "mkdir -p /usr/lib/sirikata-cluster /etc/sirikata-cluster "+strings.TrimSuffix(labAgent, "/service"))
	docker(t, "cp", binary, l.container+":"+cluster.NodeProgramPath)
	l.sh(t, "ln -s "+cluster.NodeProgramPath+" "+labAgent+"; useradd -m "+labUser)
	docker(t, "exec", l.container, "sh", "-c", `printf %s "$1" > "$2"`, "sh", string(node), cluster.NodeFilePath)
	return l
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("docker %q: %v\n%s", args, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (l lab) sh(t *testing.T, script string) string {
	t.Helper()
	return strings.TrimSpace(docker(t, "exec", l.container, "sh", "-c", script))
}

func (l lab) mainPID(t *testing.T, id string) string {
	return l.sh(t, "systemctl show --property=MainPID --value "+cluster.UnitName(id))
}

// waitFor waits until done, and says on time-out what it saw last.
func waitFor(t *testing.T, limit time.Duration, what string, done func() (bool, string)) {
	t.Helper()
	var last string
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := poll(ctx, 20*time.Millisecond, func() (bool, error) {
		ok, state := done()
		last = state
		return ok, nil
	})
	if err != nil {
		t.Fatalf("wait for %s: %v; last: %s", what, err, last)
	}
}

// act runs one action, with extra as further environment.
func (l lab) act(t *testing.T, action string, s cluster.Service, extra ...string) outcome {
	t.Helper()
	if s.Target == "" {
		s.Target = cluster.Any
	}
	params, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"exec", "--env", "OCF_RESOURCE_INSTANCE=" + cluster.ResourceName(s.ID)}
	for name, value := range params {
		args = append(args, "--env", "OCF_RESKEY_"+name+"="+value)
	}
	for _, entry := range extra {
		args = append(args, "--env", "OCF_RESKEY_CRM_meta_"+entry)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("docker", append(args, l.container, labAgent, action)...)
	cmd.Stderr = &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	reason := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "ocf-exit-reason:")
	return outcome{code(cmd.ProcessState.ExitCode()), reason}
}

func (l lab) want(t *testing.T, action string, s cluster.Service, want outcome, extra ...string) {
	t.Helper()
	got := l.act(t, action, s, extra...)
	if got.code != want.code || !strings.Contains(got.reason, want.reason) || (want.reason == "") != (got.reason == "") ||
		strings.Contains(got.reason, "what is left of it could not be stopped") {
		t.Errorf("%s %s: got %+v, want %+v", action, s.ID, got, want)
	}
}

// nothingLeft checks that no unit and no process of the user is there.
func (l lab) nothingLeft(t *testing.T) {
	t.Helper()
	units := l.sh(t, "systemctl list-units --all --no-legend --plain 'sirikata-*'")
	processes := l.sh(t, "pgrep --list-full --euid "+labUser+" || true")
	if units != "" || processes != "" {
		t.Errorf("left: units %q, processes %q", units, processes)
	}
}

func shell(id, script string) cluster.Service {
	return cluster.Service{ID: id, Command: []string{"/bin/bash", "-c", script}, ForceDaemonize: true, Monitor: 10}
}
