package providertest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// bootTimeout is how long a machine may take until its sshd answers.
const bootTimeout = 2 * time.Minute

// key is an SSH key pair of the suite's own.
type key struct {
	signer     ssh.Signer
	authorized string
}

func newKey(t *testing.T) key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return key{signer: signer, authorized: line + " providertest"}
}

// dial logs in, trying again while the machine boots. It ends at once when sshd
// offers another host key than the provider vouched for.
func dial(ctx context.Context, t *testing.T, m provider.Machine, spec cluster.Spec, k key) error {
	t.Helper()
	var wrongKey error
	config := &ssh.ClientConfig{
		User: user(spec),
		Auth: []ssh.AuthMethod{ssh.PublicKeys(k.signer)},
		HostKeyCallback: func(_ string, _ net.Addr, offered ssh.PublicKey) error {
			have := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(offered)))
			if m.HostKey != "" && have != m.HostKey {
				wrongKey = errors.New("sshd offers " + have + ", the provider vouched for " + m.HostKey)
			}
			return wrongKey
		},
		Timeout: 5 * time.Second,
	}
	if m.HostKey != "" {
		vouched, _, _, _, err := ssh.ParseAuthorizedKey([]byte(m.HostKey))
		if err != nil {
			t.Fatalf("%s: host key %q: %v", m.Name, m.HostKey, err)
		}
		config.HostKeyAlgorithms = []string{vouched.Type()}
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	for {
		client, err := ssh.Dial("tcp", m.Connect, config)
		if err == nil {
			return errors.Join(run(client), client.Close())
		}
		if wrongKey != nil || denied(err) {
			return err
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: no sshd at %s within %v, last: %v", m.Name, m.Connect, bootTimeout, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// denied reports whether sshd runs but does not let us in. The client has no
// type for it.
func denied(err error) bool { return strings.Contains(err.Error(), "unable to authenticate") }

func user(spec cluster.Spec) string {
	if spec.LoginUser == "" {
		return "root"
	}
	return spec.LoginUser
}

func run(client *ssh.Client) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // Run has ended it
	return session.Run("true")
}

func login(ctx context.Context, t *testing.T, m provider.Machine, spec cluster.Spec, k key) {
	t.Helper()
	begin := time.Now()
	if err := dial(ctx, t, m, spec, k); err != nil {
		t.Fatalf("log in to %s: %v", m.Name, err)
	}
	t.Logf("logged in to %s within %v", m.Name, time.Since(begin).Round(time.Millisecond))
}

func refused(ctx context.Context, t *testing.T, m provider.Machine, spec cluster.Spec, k key) {
	t.Helper()
	if err := dial(ctx, t, m, spec, k); err == nil || !denied(err) {
		t.Fatalf("log in to %s with a key that nobody authorized: %v", m.Name, err)
	}
}
