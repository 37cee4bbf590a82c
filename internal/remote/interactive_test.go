package remote_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

func TestInteractiveArgs(t *testing.T) {
	host := remote.Host{Name: "node2", Addr: "[2001:db8::1]:2222", User: "ubuntu"}
	got := strings.Join(remote.InteractiveArgs(host, "/keys/my id", "/clusters/100% mine/pins"), "\n")
	want := `ssh
-i
/keys/my id
-o
IdentitiesOnly=yes
-o
UserKnownHostsFile="/clusters/100%% mine/pins"
-o
GlobalKnownHostsFile=/dev/null
-o
HostKeyAlias=node2
-o
StrictHostKeyChecking=yes
-p
2222
--
ubuntu@2001:db8::1`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestInteractiveArgsInOpenSSH lets the system's ssh trust what we pinned, and
// nothing else.
func TestInteractiveArgsInOpenSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), "100% mine")
	pins, identity := filepath.Join(dir, "pins"), filepath.Join(t.TempDir(), "id")
	server := remotetest.Start(t, remotetest.Config{Real: true})
	server.Authorize(newIdentity(t, identity))
	host := server.Host("node2")
	host.HostKey = server.HostKey()
	keys := remote.NewHostKeys("world", pins, "")
	if err := keys.EnsurePinned(host); err != nil {
		t.Fatal(err)
	}
	args := append(remote.InteractiveArgs(host, identity, pins), remote.Quote([]string{"echo", "a  b"}))
	ssh := func() (string, error) {
		out, err := exec.CommandContext(testContext(t), args[0], args[1:]...).CombinedOutput()
		return string(out), err
	}
	if out, err := ssh(); err != nil || out != "a  b\n" {
		t.Errorf("%v: %s", err, out)
	}
	if err := keys.Pin("node2", remotetest.NewKey(t).PublicKey()); err != nil {
		t.Fatal(err)
	}
	if out, err := ssh(); err == nil || !strings.Contains(out, "HOST IDENTIFICATION HAS CHANGED") {
		t.Errorf("with another pin: %v: %s", err, out)
	}
}

// newIdentity writes a new private key to path and returns its public key.
func newIdentity(t *testing.T, path string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(pem.EncodeToMemory(block)))
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
