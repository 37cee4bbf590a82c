package nodegroup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/programs"
	"github.com/sirikata/sirikata-cluster/internal/release"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// besideScript runs the sirikata-node of ours that fits the machine, or else says
// what the machine is. Its arguments are the directory of programs, pairs of
// machine and digest, "--", and those of the program.
const besideScript = `directory=$1 machine=$(uname -m) program=
shift
while [ "$1" != -- ]; do
	if [ "$1" = "$machine" ] && [ -s "$directory/sirikata-node-$2" ]; then
		program=$directory/sirikata-node-$2
	fi
	shift 2
done
shift
[ -z "$program" ] || exec "$program" "$@"
echo "$machine"
exit 87
`

// Exit statuses of a node that has no sirikata-node that knows what it is asked.
const (
	exitNoProgram  = 87  // of besideScript
	exitUnknown    = 2   // of an older program
	exitNotAllowed = 126 // of a shell: found, and not executable
	exitNotFound   = 127
)

// nodeProgram is how sirikata-node is run on a node.
type nodeProgram struct {
	// path is where it is installed with the cluster; empty on hosts where it is
	// put beside services, into directory, by who needs it.
	path, directory string
}

// programOn is the program of a node. The engine direct keeps its own in the very
// same place.
func (g *NodeGroup) programOn(node string) nodeProgram {
	if g.spec.Engine == cluster.Direct {
		return nodeProgram{directory: path.Join(g.spec.Paths(node).Workspace, ".sirikata-cluster", g.spec.Name, "bin")}
	}
	return nodeProgram{path: cluster.NodeProgramPath}
}

// argv is the command line that runs the program.
func (p nodeProgram) argv(args []string) []string {
	if p.path != "" {
		return append([]string{p.path}, args...)
	}
	argv := []string{"sh", "-c", besideScript, "sirikata-cluster", p.directory}
	for _, machine := range []string{"x86_64", "aarch64"} {
		// A machine for which there is none says so when its turn comes.
		if _, digest, err := programs.Node(machine); err == nil {
			argv = append(argv, machine, digest)
		}
	}
	return append(append(argv, "--"), args...)
}

// onNode runs sirikata-node on a node, and puts it there first where it is put
// there by who needs it. With input it must be there: it is not read twice.
func (g *NodeGroup) onNode(ctx context.Context, node string, args []string, stdin io.Reader, stdout io.Writer) (remote.Result, error) {
	client, err := g.pool.Client(ctx, node)
	if err != nil {
		return remote.Result{}, err
	}
	program := g.programOn(node)
	command := remote.Command{Argv: program.argv(args), Stdin: stdin, Stdout: stdout}
	result, err := client.Run(ctx, command)
	switch code := remote.ExitCode(err); {
	case code == exitNoProgram && program.path == "":
		if err = program.install(ctx, client); err == nil {
			return client.Run(ctx, command)
		}
	case program.path != "" && (code == exitUnknown || code == exitNotFound):
		err = cluster.WithHint(fmt.Errorf("sirikata-node is missing or too old there: %w", err),
			"install this version: sirikata-cluster %s fix corosync %s", g.spec.Type, g.spec.Name)
	case program.path == "" && code == exitNotAllowed:
		err = cluster.WithHint(fmt.Errorf("sirikata-node may not be executed there: %w", err),
			"the file system of %s must not be mounted noexec", program.directory)
	}
	return result, err
}

// install puts the program there, under a name that tells what is in it: it
// replaces none that runs.
func (p nodeProgram) install(ctx context.Context, client *remote.Client) error {
	machine, err := client.Output(ctx, "uname", "-m")
	if err != nil {
		return err
	}
	content, digest, err := programs.Node(strings.TrimSpace(string(machine)))
	if err != nil {
		return err
	}
	return client.WriteFile(ctx, path.Join(p.directory, "sirikata-node-"+digest), 0o755, bytes.NewReader(content))
}

// askRelease runs "sirikata-node release" on a node. A fault of the node is in the
// state, and no error.
func (g *NodeGroup) askRelease(ctx context.Context, node string, args []string, stdin io.Reader) (release.State, error) {
	args = append([]string{"release", args[0], "--path", g.spec.Paths(node).Sirikata}, args[1:]...)
	result, err := g.onNode(ctx, node, args, stdin, nil)
	if err != nil {
		return release.State{}, err
	}
	var state release.State
	if err := json.Unmarshal(result.Stdout, &state); err != nil {
		return state, fmt.Errorf("read the answer of sirikata-node: %w", err)
	}
	return state, nil
}
