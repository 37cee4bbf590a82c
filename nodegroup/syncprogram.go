package nodegroup

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
	"github.com/sirikata/sirikata-cluster/internal/programs"
	"github.com/sirikata/sirikata-cluster/internal/release"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Exit statuses of a node whose sirikata-node is not what it should be.
const (
	exitUnknown  = 2   // of an older program
	exitNotFound = 127 // of a shell
)

// onNode runs sirikata-node on a node, and puts it there first where it is put
// there by who needs it. With input or a writer it must be there: neither is used twice.
func (g *NodeGroup) onNode(ctx context.Context, node string, args []string, stdin io.Reader, stdout io.Writer) (remote.Result, error) {
	client, err := g.pool.Client(ctx, node)
	if err != nil {
		return remote.Result{}, err
	}
	command := remote.Command{Argv: append([]string{cluster.NodeProgramPath}, args...), Stdin: stdin, Stdout: stdout}
	if g.spec.Engine == cluster.Direct {
		return g.onHost(ctx, client, node, args, command)
	}
	result, err := client.Run(ctx, command)
	if code := remote.ExitCode(err); code == exitUnknown || code == exitNotFound {
		err = cluster.WithHint(fmt.Errorf("sirikata-node is missing or too old there: %w", err),
			"install this version: sirikata-cluster %s fix corosync %s", g.spec.Type, g.spec.Name)
	}
	return result, err
}

// onHost is onNode where nothing is installed.
func (g *NodeGroup) onHost(ctx context.Context, client *remote.Client, node string, args []string, command remote.Command) (remote.Result, error) {
	directory := beside.Directory(g.spec, node)
	program := hostProgram()
	command.Argv = program.Argv(directory, args...)
	result, err := client.Run(ctx, command)
	switch remote.ExitCode(err) {
	case beside.ExitAbsent:
		var host beside.Host
		if host, err = beside.ParseHost(node, result.Stdout); err != nil {
			return result, err
		}
		if err = program.Install(ctx, client, directory, host.Machine); err == nil {
			return client.Run(ctx, command)
		}
	case beside.ExitNotAllowed:
		err = cluster.WithHint(fmt.Errorf("sirikata-node may not be executed there: %w", err),
			"the file system of %s must not be mounted noexec", beside.Programs(directory))
	}
	return result, err
}

// hostProgram is made once: to digest it takes a moment.
var hostProgram = sync.OnceValue(func() *beside.Program { return beside.New(programs.Node) })

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
