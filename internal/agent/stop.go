package agent

import "context"

// stop stops the service: TERM, after 6 s KILL, to every process of it. It
// does not read the definition, and a service that is not there is stopped.
func stop(ctx context.Context, a *agent, req request) outcome {
	if err := a.clear(ctx, req.unit); err != nil {
		return fail(errGeneric, "stop unit %s: %v", req.unit, err)
	}
	state, err := a.systemd.state(ctx, req.unit)
	if err != nil {
		return fail(errGeneric, "%v", err)
	}
	left, err := a.systemd.processes(ctx, req.unit)
	switch {
	case err != nil:
		return fail(errGeneric, "%v", err)
	case len(left) > 0:
		return fail(errGeneric, "processes %v do not end, not even by signal KILL", left)
	case state.phase() == running || state.phase() == changing:
		return fail(errGeneric, "its unit is %s (%s) after it was stopped", state.active, state.sub)
	}
	return outcome{}
}
