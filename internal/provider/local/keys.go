package local

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// keyFiles makes a host key. It returns its public part and a tar of what a new
// node gets before it first starts: the host key, and who may log in.
func keyFiles(authorizedKey string) (hostKey string, archive io.Reader, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, fmt.Errorf("make a host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", nil, fmt.Errorf("encode a host key: %w", err)
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", nil, fmt.Errorf("encode a host key: %w", err)
	}
	hostKey = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPublic)))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []struct {
		header tar.Header
		data   string
	}{
		{tar.Header{Name: "etc/ssh/ssh_host_ed25519_key", Mode: 0o600}, string(pem.EncodeToMemory(block))},
		{tar.Header{Name: "etc/ssh/ssh_host_ed25519_key.pub", Mode: 0o644}, hostKey + "\n"},
		{tar.Header{Name: "root/.ssh/", Typeflag: tar.TypeDir, Mode: 0o700}, ""},
		{tar.Header{Name: "root/.ssh/authorized_keys", Mode: 0o600}, strings.TrimSpace(authorizedKey) + "\n"},
	} {
		f.header.Size = int64(len(f.data))
		if err = w.WriteHeader(&f.header); err == nil {
			_, err = io.WriteString(w, f.data)
		}
		if err != nil {
			return "", nil, fmt.Errorf("pack the keys: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return "", nil, fmt.Errorf("pack the keys: %w", err)
	}
	return hostKey, &out, nil
}

// authorizeScript adds the line on its standard input unless it is there. The
// lock keeps two operators from writing at once.
const authorizeScript = `set -eu
umask 077
mkdir -p /root/.ssh
exec 9>>/root/.ssh/authorized_keys
flock 9
IFS= read -r key
if grep -qxF -e "$key" /root/.ssh/authorized_keys; then exit; fi
[ -z "$(tail -c 1 /root/.ssh/authorized_keys)" ] || echo >&9 # an unfinished last line
printf '%s\n' "$key" >&9
`

// Authorize implements [provider.Provider], by docker exec. A key that is let
// in already stays so.
func (p *Provider) Authorize(ctx context.Context, machine provider.Machine, authorizedKey string) error {
	if err := checkKey(authorizedKey); err != nil {
		return err
	}
	line := strings.NewReader(strings.TrimSpace(authorizedKey) + "\n")
	_, err := p.docker.run(ctx, line, "exec", "--interactive", machine.ID, "sh", "-c", authorizeScript)
	if err != nil {
		err = fmt.Errorf("authorize a key: %w", err)
		if toolSays(err, "is not running") {
			err = cluster.WithHint(err, "power it on first: %s is off", machine.Name)
		}
		return &cluster.NodeError{Node: machine.Name, Err: err}
	}
	return nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
