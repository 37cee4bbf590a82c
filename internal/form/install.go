package form

import (
	"bytes"
	"context"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/programs"
)

// program is the sirikata-node for a machine, and its SHA-256 in hexadecimal.
func (f *Former) program(machine string) (content []byte, digest string, err error) {
	if f.programs != nil {
		return programs.NodeFrom(f.programs, machine)
	}
	return programs.Node(machine)
}

// install puts the right sirikata-node on a node that does not have it. A
// service's running agent keeps the file it started from.
func install(ctx context.Context, f *Former, m *member) error {
	content, digest, err := f.program(m.found.machine)
	if err != nil || m.found.program == digest {
		return err
	}
	m.changed = true
	return m.client.WriteFile(ctx, cluster.NodeProgramPath, 0o755, bytes.NewReader(content))
}
