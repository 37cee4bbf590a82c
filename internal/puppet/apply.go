package puppet

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// stateDirectory is where a node keeps what was last applied to it, and
// digestFile, in it, the digest of that once it was applied with success.
const (
	stateDirectory = "/var/lib/sirikata-cluster"
	digestFile     = "puppet.digest"
)

// lockScript begins the scripts that run on a node, and applyScript is one.
//
//go:embed lock.sh
var lockScript string

//go:embed apply.sh
var applyScript string

// runner is the part of [remote.Client] that is needed here.
type runner interface {
	Name() string
	Run(ctx context.Context, cmd remote.Command) (remote.Result, error)
}

var _ runner = (*remote.Client)(nil)

// Apply configures a node with Puppet and reports whether that changed anything
// on it. The node is reached as root.
//
// It may be called again at any time, also after it was interrupted. Where the
// same data and modules were applied before with success, it does not start
// Puppet, unless force is set: so it does not notice what others changed on the
// node since. Two calls for one node run one after the other.
//
// Errors: [*Error] when Puppet ran and could not do all of it, which is worth
// another try only once the cause is gone; else those of [remote.Client.Run].
func Apply(ctx context.Context, node *remote.Client, data Data, force bool) (changed bool, err error) {
	return apply(ctx, node, stateDirectory, data, force)
}

func apply(ctx context.Context, node runner, state string, data Data, force bool) (bool, error) {
	fail := func(err error) (bool, error) { return false, fmt.Errorf("configure %s: %w", node.Name(), err) }
	if err := data.validate(); err != nil {
		return fail(err)
	}
	content, digest, err := bundle(data)
	if err != nil {
		return fail(err)
	}
	if !force {
		last, err := applied(ctx, node, state)
		if err != nil {
			return fail(err)
		}
		if last == digest {
			return false, nil
		}
	}
	result, err := node.Run(ctx, remote.Command{
		Argv:  []string{"sh", "-c", lockScript + applyScript, "sirikata-puppet", digest, state},
		Stdin: bytes.NewReader(content),
	})
	var exit *remote.ExitError
	switch {
	case errors.As(err, &exit):
		return false, newError(node.Name(), exit)
	case err != nil:
		return fail(err)
	}
	return string(bytes.TrimSpace(result.Stdout)) == "changed", nil
}

// applied is the digest of what was last applied with success, or "".
func applied(ctx context.Context, node runner, state string) (string, error) {
	result, err := node.Run(ctx, remote.Command{Argv: []string{"cat", state + "/" + digestFile}})
	var exit *remote.ExitError
	if errors.As(err, &exit) {
		return "", nil
	}
	return string(bytes.TrimSpace(result.Stdout)), err
}
