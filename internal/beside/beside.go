// Package beside runs sirikata-node on hosts on which nothing of ours is
// installed: it lies below the workspace path, beside the services of the
// cluster, and is put there by whoever first needs it. What it is asked is none
// of its business.
//
// Start at [Program].
package beside

import (
	"bytes"
	"context"
	"fmt"
	"path"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// StateDirectory is where the workspace path of a host holds all of ours.
const StateDirectory = ".sirikata-cluster"

// Directory is where a host holds what is of a cluster.
func Directory(spec cluster.Spec, node string) string {
	return path.Join(spec.Paths(node).Workspace, StateDirectory, spec.Name)
}

// machines are those that sirikata-node is built for, by what uname -m says.
var machines = []string{"x86_64", "aarch64"}

// script runs the sirikata-node of ours that fits the machine, if it is there;
// otherwise it says what the machine is, who we are on it and whether it has
// nothing of the cluster. Its arguments are the directory of the cluster, pairs of
// machine and digest, "--", and those of the program. A program on a file system
// that is mounted noexec is there and cannot be run, which the shell answers with
// [ExitNotAllowed].
const script = `directory=$1 machine=$(uname -m) program=
shift
while [ "$1" != -- ]; do
	file=$directory/` + protocol.ProgramDirectory + `/sirikata-node-$2
	if [ "$1" = "$machine" ] && [ -s "$file" ]; then
		program=$file
	fi
	shift 2
done
shift
[ -z "$program" ] || exec "$program" "$@"
nothing=true
[ ! -e "$directory" ] || nothing=false
echo "$machine $(id -u) $nothing"
exit 87
`

const (
	// ExitAbsent is the exit status where no sirikata-node of ours is there.
	ExitAbsent = 87
	// ExitNotAllowed is a shell's: found, and not executable.
	ExitNotAllowed = 126
)

// Program is sirikata-node on hosts.
type Program struct {
	of      func(machine string) ([]byte, string, error)
	digests []string // pairs of machine and digest
}

// New returns the program. of returns sirikata-node for a machine, by what its
// uname -m says, and its digest.
func New(of func(machine string) ([]byte, string, error)) *Program {
	p := &Program{of: of}
	for _, machine := range machines {
		// A machine for which there is none says so when its turn comes.
		if _, digest, err := of(machine); err == nil {
			p.digests = append(p.digests, machine, digest)
		}
	}
	return p
}

// Argv is the command line that runs the program, which is there or not, for a
// cluster whose directory on the host is given.
func (p *Program) Argv(directory string, args ...string) []string {
	argv := append([]string{"sh", "-c", script, "sirikata-cluster", directory}, p.digests...)
	return append(append(argv, "--"), args...)
}

// Host is what a host says on which the program is not there.
type Host struct {
	Machine string
	UID     int
	Nothing bool // nor anything else of the cluster
}

// ParseHost reads what [Program.Argv] printed where it ended with [ExitAbsent].
func ParseHost(node string, out []byte) (Host, error) {
	var host Host
	if n, _ := fmt.Sscan(string(out), &host.Machine, &host.UID, &host.Nothing); n != 3 {
		return host, fmt.Errorf("find out what machine %s is: unexpected answer %q", node, out)
	}
	return host, nil
}

// Fits returns an error if there is no program for a machine.
func (p *Program) Fits(machine string) error {
	_, _, err := p.of(machine)
	return err
}

// Programs is where the program lies below the directory of a cluster.
func Programs(directory string) string { return path.Join(directory, protocol.ProgramDirectory) }

// Install puts the program on a host, under a name that tells what is in it: it
// replaces none that runs, and operators who do it at once write the same.
func (p *Program) Install(ctx context.Context, client *remote.Client, directory, machine string) error {
	content, digest, err := p.of(machine)
	if err != nil {
		return err
	}
	return client.WriteFile(ctx, path.Join(Programs(directory), "sirikata-node-"+digest), 0o755, bytes.NewReader(content))
}
