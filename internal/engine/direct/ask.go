package direct

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/beside"
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

func (e *Engine) directory(node string) string { return beside.Directory(e.spec, node) }

// ask asks one node, and puts sirikata-node there if it has none of ours, which Look
// and Leave need only where there is anything of the cluster.
//
// Only a Look is bound to a time of its own; all else takes as long as ctx lasts.
func (e *Engine) ask(ctx context.Context, node cluster.Node, request protocol.Request) (protocol.Answer, error) {
	result, err := e.within(ctx, node, request)
	if remote.ExitCode(err) == beside.ExitAbsent {
		var host beside.Host
		if host, err = beside.ParseHost(node.Name, result.Stdout); err != nil {
			return protocol.Answer{}, err
		}
		if host.Nothing && (request.Action == protocol.Look || request.Action == protocol.Leave) {
			return protocol.Answer{UID: host.UID}, nil
		}
		if err = e.install(ctx, node, host.Machine); err == nil {
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
		Cluster: e.spec.Name, Name: node.Name, FQDN: node.FQDN, ServiceUser: e.spec.ServiceUserOn(node.Name),
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
		Argv:  e.program().Argv(request.Directory, protocol.Serve),
		Stdin: bytes.NewReader(text), Stdout: w,
	}
	if w != nil {
		hold, release := io.Pipe()
		defer func() { _ = release.Close() }()
		command.Stdin = io.MultiReader(command.Stdin, hold)
	}
	return client.Run(ctx, command)
}

// install puts sirikata-node on a node.
func (e *Engine) install(ctx context.Context, node cluster.Node, machine string) error {
	if err := e.program().Fits(machine); err != nil {
		return &brokenError{err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, installWait, fmt.Errorf("gave up after %v", installWait))
	defer cancel()
	e.say("%s: installing sirikata-node", node.Name)
	client, err := e.pool.Client(ctx, node.Name)
	if err != nil {
		return err
	}
	return e.program().Install(ctx, client, e.directory(node.Name), machine)
}

// explain says for a person why a node did not do what it was asked.
func (e *Engine) explain(node cluster.Node, err error) error {
	var exit *remote.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if exit.Code == beside.ExitNotAllowed {
		err = fmt.Errorf("%s may not be executed on %s: is its file system mounted noexec?", beside.Programs(e.directory(node.Name)), node.Name)
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
