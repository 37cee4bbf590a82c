package agent

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// code is what an action returns to Pacemaker (OCF Resource Agent API 1.1,
// "Exit Status Codes"; Pacemaker Administration, "How Pacemaker Interprets
// Return Codes"). A soft error is tried again, a hard one never on this node,
// a fatal one on no node.
type code int

const (
	success          code = 0
	errGeneric       code = 1 // soft
	errArgs          code = 2 // hard: the definition does not fit this node
	errUnimplemented code = 3 // hard
	errPerm          code = 4 // hard: the user may not do it
	errInstalled     code = 5 // hard: something is missing on this node
	errConfigured    code = 6 // fatal: the definition fits no node
	notRunning       code = 7 // soft; the cluster will not try to stop it first
)

// outcome is the answer of an action. Its reason is for the person who reads
// the status of the cluster.
type outcome struct {
	code   code
	reason string
}

func fail(c code, format string, args ...any) outcome {
	return outcome{code: c, reason: fmt.Sprintf(format, args...)}
}

// print writes the reason as the one line in which Pacemaker looks for it
// ("ocf-exit-reason:" on stderr; Pacemaker Administration, "OCF exit reasons").
// The line is ASCII: Pacemaker 2.1.5 stops to escape a text for XML at its first
// character beyond, and where a < or & follows, its controller cannot read the
// result of the action and aborts, upon which the failure is not counted.
func (o outcome) print(stderr io.Writer) {
	if o.reason != "" {
		fmt.Fprintf(stderr, "ocf-exit-reason:%s\n", ascii(keeper.Printable(o.reason, maxReason)))
	}
}

// status is what an action returns to Pacemaker. A start never returns "not
// installed": crm_mon of Pacemaker 2.1.5 leaves such a failure out of its list,
// and with it the reason. Any failure of a start is final for the node.
func (o outcome) status(action string) code {
	if action == "start" && o.code == errInstalled {
		return errGeneric
	}
	return o.code
}

// maxReason bounds a whole reason, in bytes: Pacemaker keeps no more of it, and
// would cut it without a mark.
const maxReason = 127

// connectWait is for how long systemd may be unreachable, as it is for a
// moment while it re-executes itself at an update.
const connectWait = 4 * time.Second

// runAgent performs the action that the first argument names.
func runAgent(ctx context.Context, p Process) code {
	var action string
	if len(p.Args) > 1 {
		action = p.Args[1]
	}
	var run func(context.Context, *agent, request) outcome
	switch action {
	case "meta-data":
		fmt.Fprint(p.Stdout, metadata(p.Version))
		return success
	case "start":
		run = start
	case "stop":
		run = stop
	case "monitor":
		run = monitor
	case "validate-all":
		run = validateAll
	default:
		fail(errUnimplemented, "action %q is not implemented", action).print(p.Stderr)
		return errUnimplemented
	}
	result := perform(ctx, p, run)
	result.print(p.Stderr)
	return result.status(action)
}

func perform(ctx context.Context, p Process, run func(context.Context, *agent, request) outcome) outcome {
	req, err := readRequest(p.Environ)
	if err != nil {
		return fail(errConfigured, "%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, req.timeout)
	defer cancel()
	a := &agent{
		systemd: &systemd{wait: connectWait},
		watch:   openProcesses,
		journal: journalLines,
		host:    thisHost(),
		runDir:  runDir,
	}
	defer a.systemd.close()
	return run(ctx, a, req)
}

// agent is what the actions work with.
type agent struct {
	systemd manager
	// watch begins to watch processes. A process that is dead already is no
	// error.
	watch func(pids []uint32) (watcher, error)
	// journal returns the last lines that an invocation of a unit printed.
	journal func(ctx context.Context, unit, invocation string, since time.Time) []string
	host    host
	runDir  string // where the agent remembers, until the next boot
}

// runDir is on a tmpfs: what is remembered there is of this boot.
const runDir = "/run/sirikata-cluster"
