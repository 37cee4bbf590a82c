package direct

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

const (
	// answerWait is how long a node may take to be connected to and to answer a
	// question, so that one that hangs does not keep the answers of the others.
	answerWait = 6 * time.Second
	// installWait is how long it may take to copy a program of a few megabytes.
	installWait = 2 * time.Minute
)

// stateDirectory is where the workspace path of a node holds all of ours.
const stateDirectory = ".sirikata-cluster"

// callScript runs the sirikata-node of ours that fits the machine, if it is
// there; otherwise it says what the machine is, who we are on it and whether it
// has anything of the cluster. Its arguments are the directory of the cluster and
// pairs of machine and digest. A program on a file system that is mounted noexec
// is there and cannot be run, which the shell answers with 126.
const callScript = `directory=$1 machine=$(uname -m)
shift
while [ $# -gt 1 ]; do
	program=$directory/` + protocol.ProgramDirectory + `/sirikata-node-$2
	if [ "$1" = "$machine" ] && [ -s "$program" ]; then
		exec "$program" ` + protocol.Serve + `
	fi
	shift 2
done
nothing=yes
[ ! -e "$directory" ] || nothing=no
echo "$machine $(id -u) $nothing"
exit 87
`

const (
	exitNoProgram  = 87  // of callScript
	exitNotAllowed = 126 // of the shell: found, and not executable
)

// known are the machines for which we have a program, each with its digest.
func (e *Engine) known() []string {
	var pairs []string
	for _, machine := range []string{"x86_64", "aarch64"} {
		// A machine for which there is none says so when its turn comes.
		if _, digest, err := e.program(machine); err == nil {
			pairs = append(pairs, machine, digest)
		}
	}
	return pairs
}

func (e *Engine) directory(node string) string {
	return path.Join(e.spec.Paths(node).Workspace, stateDirectory, e.spec.Name)
}

// ask asks one node, and puts sirikata-node there if it has none of ours, which Look
// and Leave need only where there is anything of the cluster.
//
// Only a Look is bound to a time of its own; all else takes as long as ctx lasts.
func (e *Engine) ask(ctx context.Context, node cluster.Node, request protocol.Request) (protocol.Answer, error) {
	result, err := e.within(ctx, node, request)
	if remote.ExitCode(err) == exitNoProgram {
		var machine, nothing string
		answer := protocol.Answer{}
		if n, _ := fmt.Sscan(string(result.Stdout), &machine, &answer.UID, &nothing); n != 3 {
			return answer, fmt.Errorf("find out what machine %s is: unexpected answer %q", node.Name, result.Stdout)
		}
		if nothing == "yes" && (request.Action == protocol.Look || request.Action == protocol.Leave) {
			return answer, nil
		}
		if err = e.install(ctx, node, machine); err == nil {
			result, err = e.within(ctx, node, request)
		}
	}
	if err != nil {
		return protocol.Answer{}, e.explain(node, err)
	}
	var answer protocol.Answer
	if err := json.Unmarshal(result.Stdout, &answer); err != nil {
		return answer, fmt.Errorf("read the answer of sirikata-node on %s: %w", node.Name, err)
	}
	if answer.Error != "" {
		return answer, e.broken(node, errors.New(answer.Error))
	}
	return answer, nil
}

// within makes one call, with a limit if it only looks.
func (e *Engine) within(ctx context.Context, node cluster.Node, request protocol.Request) (remote.Result, error) {
	if request.Action == protocol.Look {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, answerWait, fmt.Errorf("no answer for %v", answerWait))
		defer cancel()
	}
	return e.call(ctx, node, request, nil)
}

// call makes one call of sirikata-node. Output goes to w; nil collects it. With w
// the request's input stays open as long as ctx lasts.
func (e *Engine) call(ctx context.Context, node cluster.Node, request protocol.Request, w io.Writer) (remote.Result, error) {
	paths := e.spec.Paths(node.Name)
	request.Directory = e.directory(node.Name)
	request.Node = cluster.NodeFile{
		Cluster: e.spec.Name, Name: node.Name, FQDN: node.FQDN, ServiceUser: e.spec.User(node.Name),
		WorkingPath: paths.Working, WorkspacePath: paths.Workspace, SirikataPath: paths.Sirikata,
		Capabilities: node.Capabilities,
	}
	text, err := json.Marshal(request)
	if err != nil {
		return remote.Result{}, err
	}
	client, err := e.pool.Client(ctx, node.Name)
	if err != nil {
		return remote.Result{}, err
	}
	command := remote.Command{
		Argv:  append([]string{"sh", "-c", callScript, "sirikata-cluster", request.Directory}, e.digests()...),
		Stdin: bytes.NewReader(text), Stdout: w,
	}
	if w != nil {
		hold, release := io.Pipe()
		defer func() { _ = release.Close() }()
		command.Stdin = io.MultiReader(command.Stdin, hold)
	}
	return client.Run(ctx, command)
}

// install puts sirikata-node on a node, under a name that tells what is in it: it
// replaces none that runs, and operators who do it at once write the same.
func (e *Engine) install(ctx context.Context, node cluster.Node, machine string) error {
	content, digest, err := e.program(machine)
	if err != nil {
		return &brokenError{err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, installWait, fmt.Errorf("gave up after %v", installWait))
	defer cancel()
	e.say("%s: installing sirikata-node", node.Name)
	client, err := e.pool.Client(ctx, node.Name)
	if err != nil {
		return err
	}
	return client.WriteFile(ctx, path.Join(e.directory(node.Name), protocol.ProgramDirectory, "sirikata-node-"+digest), 0o755, bytes.NewReader(content))
}

// explain says for a person why a node did not do what it was asked.
func (e *Engine) explain(node cluster.Node, err error) error {
	var exit *remote.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if exit.Code == exitNotAllowed {
		err = fmt.Errorf("%s may not be executed on %s: is its file system mounted noexec?", path.Join(e.directory(node.Name), protocol.ProgramDirectory), node.Name)
	}
	return e.broken(node, err)
}

// broken is an error of a workspace path that cannot be used.
func (e *Engine) broken(node cluster.Node, err error) error {
	err = &brokenError{err}
	workspace := e.spec.Paths(node.Name).Workspace
	for _, sign := range []string{"space left", "noexec", "quota", "Permission denied", "Read-only", "Not a directory"} {
		if strings.Contains(err.Error(), sign) {
			return cluster.WithHint(err, "%s of %s must be a directory that %q may write to, with room for 10 MB, and run programs from",
				workspace, node.Name, e.spec.User(node.Name))
		}
	}
	return err
}

// brokenError is of a node that answers, and cannot do what it is asked.
type brokenError struct{ error }

func (b *brokenError) Unwrap() error { return b.error }
