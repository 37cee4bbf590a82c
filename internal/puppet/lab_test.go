//go:build lab

package puppet

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// imageVariable names a container image with systemd, sshd, Puppet and the
// cluster's packages.
const imageVariable = "SIRIKATA_LAB_IMAGE"

// labNode starts a container and connects to its sshd as root. It is removed at
// the end of the test.
func labNode(t *testing.T) *remote.Client {
	t.Helper()
	image := os.Getenv(imageVariable)
	if image == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not set", imageVariable)
		}
		t.Skipf("%s is not set", imageVariable)
	}
	id := docker(t, "run", "--detach", "--hostname", "node0", "--label", "sirikata-puppet-test=1",
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--shm-size", "512m",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
		"--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--stop-signal", "SIGRTMIN+3", image)
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", id) })

	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	docker(t, "exec", id, "sh", "-c", `mkdir -p -m 0700 /root/.ssh && echo "$1" >/root/.ssh/authorized_keys && ssh-keygen -A`,
		"sh", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
	address := docker(t, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", id)
	return connect(t, remote.Host{
		Name: "node0", Addr: net.JoinHostPort(address, "22"), User: "root", Keys: []ssh.Signer{signer},
	})
}

func connect(t *testing.T, host remote.Host) *remote.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node, err := remote.WaitDial(ctx, host, remote.NewHostKeys("lab", filepath.Join(t.TempDir(), "pins"), ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	return node
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
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
