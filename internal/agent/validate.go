package agent

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// validateAll answers whether the service could be started on this node.
func validateAll(ctx context.Context, a *agent, req request) outcome {
	p, bad := a.plan(req)
	if bad.code != success {
		return bad
	}
	return a.check(ctx, p)
}

// plan makes the service of a request ready for this node.
func (a *agent) plan(req request) (plan, outcome) {
	service, err := req.service()
	if err != nil {
		return plan{}, fail(errConfigured, "%v", err)
	}
	node, err := a.host.node()
	if errors.Is(err, fs.ErrNotExist) {
		return plan{}, fail(errInstalled, "this node is not configured: %v", err)
	}
	if err != nil {
		return plan{}, fail(errArgs, "this node is not configured: %v", err)
	}
	if node.FQDN == "" && strings.Contains(strings.Join(service.Command, "\n"), cluster.FQDNWord) {
		return plan{}, fail(errArgs, "the command names FQDN, and this node has none in %s", cluster.NodeFilePath)
	}
	p := newPlan(service, node, keeper.LibraryPath(node.SirikataPath))
	p.program = keeper.ProgramIn(node.SirikataPath, p.command[0])
	return p, outcome{}
}

// check looks for what would keep the plan from starting here, so that the
// reason is one for a person, not a number of systemd's.
func (a *agent) check(ctx context.Context, p plan) outcome {
	if p.user == "" {
		return fail(errArgs, "the service names no user, and this node has no default in %s", cluster.NodeFilePath)
	}
	who, err := a.host.account(ctx, p.user)
	if errors.Is(err, keeper.ErrNoUser) {
		return fail(errInstalled, "user %q does not exist", p.user)
	}
	if err != nil {
		return fail(errGeneric, "look up user %q: %v", p.user, err)
	}
	may := func(path string) error { return a.host.mayExecute(who, path) }
	if bad := misfit(keeper.CheckBinary(p.command[0], p.user, may)); bad.code != success {
		return bad
	}
	return misfit(keeper.CheckDirectory(p.cwd, p.user, may))
}

// misfit says in Pacemaker's terms why a node cannot run a service.
func misfit(err error) outcome {
	var unfit *keeper.Unfit
	if !errors.As(err, &unfit) {
		return outcome{}
	}
	return outcome{
		code:   map[keeper.UnfitKind]code{keeper.Missing: errInstalled, keeper.Refused: errPerm, keeper.Wrong: errArgs}[unfit.Kind],
		reason: unfit.Reason,
	}
}
