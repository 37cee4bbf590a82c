package form

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/sirikata/sirikata-cluster/cluster"
)

//go:embed programs
var programs embed.FS

// architectures maps what uname -m says to Go's name of it.
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// program is the sirikata-node for a machine, and its SHA-256 in hexadecimal.
func program(from fs.FS, machine string) (content []byte, digest string, err error) {
	arch, ok := architectures[machine]
	if !ok {
		return nil, "", fmt.Errorf("no sirikata-node for a %s machine: only x86_64 and aarch64", machine)
	}
	content, err = fs.ReadFile(from, "programs/sirikata-node-linux-"+arch)
	if err != nil {
		return nil, "", cluster.WithHint(fmt.Errorf("this sirikata-cluster was built without sirikata-node for %s", arch),
			"build it with make build")
	}
	sum := sha256.Sum256(content)
	return content, hex.EncodeToString(sum[:]), nil
}

// install puts the right sirikata-node on a node that does not have it. A
// service's running agent keeps the file it started from.
func install(ctx context.Context, f *Former, m *member) error {
	var from fs.FS = programs
	if f.programs != nil {
		from = f.programs
	}
	content, digest, err := program(from, m.found.machine)
	if err != nil || m.found.program == digest {
		return err
	}
	m.changed = true
	return m.client.WriteFile(ctx, cluster.NodeProgramPath, 0o755, bytes.NewReader(content))
}
