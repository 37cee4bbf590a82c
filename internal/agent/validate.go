package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
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
	p := newPlan(service, node, libraryPath(node.SirikataPath))
	p.program = programIn(node.SirikataPath, p.command[0])
	return p, outcome{}
}

// check looks for what would keep the plan from starting here, so that the
// reason is one for a person, not a number of systemd's.
func (a *agent) check(ctx context.Context, p plan) outcome {
	if p.user == "" {
		return fail(errArgs, "the service names no user, and this node has no default in %s", cluster.NodeFilePath)
	}
	who, err := a.host.account(ctx, p.user)
	if errors.Is(err, errNoUser) {
		return fail(errInstalled, "user %q does not exist", p.user)
	}
	if err != nil {
		return fail(errGeneric, "look up user %q: %v", p.user, err)
	}
	if bad := a.checkBinary(p, who); bad.code != success {
		return bad
	}
	return a.checkCwd(p, who)
}

func (a *agent) checkBinary(p plan, who account) outcome {
	binary := p.command[0]
	info, err := os.Stat(binary)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(errInstalled, "binary %q does not exist", binary)
	case err != nil:
		return fail(errInstalled, "binary %q: %v", binary, err)
	case !info.Mode().IsRegular():
		return fail(errArgs, "binary %q is not a regular file", binary)
	case info.Mode().Perm()&0o111 == 0:
		return fail(errPerm, "binary %q is not executable", binary)
	}
	if err := a.host.mayExecute(who, binary); err != nil {
		return fail(errPerm, "user %q may not execute binary %q: %v", p.user, binary, err)
	}
	return outcome{}
}

func (a *agent) checkCwd(p plan, who account) outcome {
	info, err := os.Stat(p.cwd)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(errInstalled, "working directory %q does not exist", p.cwd)
	case err != nil:
		return fail(errInstalled, "working directory %q: %v", p.cwd, err)
	case !info.IsDir():
		return fail(errArgs, "working directory %q is not a directory", p.cwd)
	}
	if err := a.host.mayExecute(who, p.cwd); err != nil {
		return fail(errPerm, "user %q may not enter working directory %q: %v", p.user, p.cwd, err)
	}
	return outcome{}
}
