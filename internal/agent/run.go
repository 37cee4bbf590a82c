package agent

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/fence"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// Version is the version of the program; the build sets it.
type Version string

// Process is what the program was started with.
type Process struct {
	Args    []string // with the name of the program first
	Environ []string // KEY=VALUE
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Version Version
}

// agentName is the name of the link through which Pacemaker runs the program
// as the agent ocf:sirikata:service.
const agentName = "service"

// Main runs the program and returns its exit status. Called by the name of the
// resource agent, it is that agent, and the status is an OCF return code; called
// by that of the fence agent, it is that one. Otherwise the first argument is a
// subcommand.
//
// SIGTERM keeps its default action, so that a monitor that holds ends at once:
// there is nothing to undo, systemd owns the service.
func Main(ctx context.Context, p Process) int {
	if len(p.Args) > 0 && path.Base(p.Args[0]) == agentName {
		return int(runAgent(ctx, p))
	}
	if len(p.Args) > 0 && path.Base(p.Args[0]) == cluster.FenceAgent {
		return fence.Agent(ctx, string(p.Version), p.Stdin, p.Stdout, p.Stderr)
	}
	if len(p.Args) > 1 && p.Args[1] == "power-service" {
		return fence.Serve(ctx, p.Args[2:], p.Stderr)
	}
	if len(p.Args) > 1 && p.Args[1] == "load" {
		return runLoad(ctx, p, p.Args[2:])
	}
	if len(p.Args) > 1 && p.Args[1] == protocol.Keep {
		return keeper.Keep(p.Stdin, p.Stdout)
	}
	if len(p.Args) > 1 && p.Args[1] == "release" {
		return runRelease(ctx, p, p.Args[2:])
	}
	if len(p.Args) > 1 && p.Args[1] == "files" {
		return runFiles(ctx, p, p.Args[2:])
	}
	if len(p.Args) == 2 {
		switch p.Args[1] {
		case "version":
			fmt.Fprintln(p.Stdout, p.Version)
			return 0
		case "guard":
			runGuard(ctx, p)
			return 0
		case "refill":
			return runRefill(ctx, p)
		case protocol.Serve:
			return keeper.Serve(ctx, p.Environ, p.Stdin, p.Stdout, p.Stderr)
		}
	}
	fmt.Fprintln(p.Stderr, "sirikata-node: error: unknown subcommand")
	fmt.Fprintln(p.Stderr, "sirikata-node: hint: the subcommands are: direct, files, guard, keep, load, power-service, refill, release, version")
	return exitUsage
}

// exitUsage is the exit status of a command line that makes no sense.
const exitUsage = 2
