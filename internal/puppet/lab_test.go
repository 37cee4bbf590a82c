//go:build lab

package puppet

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
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
	id := docker(t, "create", "--hostname", "node0", "--label", "sirikata-puppet-test=1",
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--shm-size", "512m",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
		"--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--stop-signal", "SIGRTMIN+3", image)
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", id) })

	// Before the node starts: systemd gives up an sshd that finds no key five
	// times, within a second.
	hostKey, _ := newKey(t)
	put(t, id, hostKey, "/etc/ssh", "ssh_host_ed25519_key")
	_, signer := newKey(t)
	put(t, id, ssh.MarshalAuthorizedKey(signer.PublicKey()), "/root/.ssh", "authorized_keys")
	docker(t, "start", id)
	address := docker(t, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", id)
	return connect(t, remote.Host{
		Name: "node0", Addr: net.JoinHostPort(address, "22"), User: "root", Keys: []ssh.Signer{signer},
	})
}

// newKey makes a key, also in the format of a key file.
func newKey(t *testing.T) (file []byte, signer ssh.Signer) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	if signer, err = ssh.NewSignerFromKey(private); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), signer
}

// put writes a file, for root's eyes only, to a container that may be off. The
// folder is made if it is missing.
func put(t *testing.T, container string, data []byte, folder, name string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(folder))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	docker(t, "cp", dir, container+":"+filepath.Dir(folder))
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
