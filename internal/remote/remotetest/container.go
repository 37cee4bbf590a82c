//go:build lab

package remotetest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// imageVariable names a container image with systemd, sshd, Puppet and the
// cluster's packages.
const imageVariable = "SIRIKATA_LAB_IMAGE"

// Container is a real host, made from the image of local nodes.
type Container struct {
	ID   string
	Host remote.Host // as root
}

// StartContainer starts a container, which is removed at the end of the test.
// Its sshd may not answer yet.
func StartContainer(t *testing.T) *Container {
	t.Helper()
	image := os.Getenv(imageVariable) //nolint:forbidigo // a setting of tests
	if image == "" {
		if os.Getenv("CI") != "" { //nolint:forbidigo // as above
			t.Fatalf("%s is not set", imageVariable)
		}
		t.Skipf("%s is not set", imageVariable)
	}
	id := docker(t, "create", "--hostname", "node0", "--label", "sirikata-lab-test=1",
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--shm-size", "512m",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
		"--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--stop-signal", "SIGRTMIN+3", image)
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", id) })

	// Before the node starts: systemd gives up an sshd that finds no key five
	// times, within a second.
	put(t, id, keyFile(t), "/etc/ssh", "ssh_host_ed25519_key")
	key := NewKey(t)
	put(t, id, ssh.MarshalAuthorizedKey(key.PublicKey()), "/root/.ssh", "authorized_keys")
	docker(t, "start", id)
	address := docker(t, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", id)
	return &Container{ID: id, Host: remote.Host{
		Name: "node0", Addr: net.JoinHostPort(address, "22"), User: "root", Keys: []ssh.Signer{key},
	}}
}

// keyFile makes a key, in the format of a key file.
func keyFile(t *testing.T) []byte {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
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

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}
