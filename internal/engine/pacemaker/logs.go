package pacemaker

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Logs implements engine.Engine. It reads the journal of the node where the
// service runs, or else where it failed last.
func (e *Engine) Logs(ctx context.Context, id string, lines int, follow bool, w io.Writer) error {
	s, err := e.session(ctx)
	if err != nil {
		return err
	}
	mon := s.view.mon
	found, err := e.find(s.view.resources, []string{id})
	if err != nil {
		return err
	}
	status, err := mon.ServiceStatus(found[0])
	if err != nil {
		return err
	}
	node := status.Node
	if failure, ok := mon.LastFailure(id); node == "" && ok {
		node = failure.Node
	}
	if node == "" {
		return fmt.Errorf("logs of service %q: it runs nowhere and failed nowhere: %s", id, status.Reason)
	}
	client, err := e.pool.Client(ctx, node)
	if err != nil {
		return err
	}
	argv := journal(id, lines, "short-iso")
	if follow {
		argv = journal(id, lines, "short-iso", "--follow")
	}
	_, err = client.Run(ctx, remote.Command{Argv: argv, Stdout: w})
	if follow && ctx.Err() != nil {
		return nil
	}
	return err
}

// journal is the command that prints the last lines of a service.
func journal(id string, lines int, format string, options ...string) []string {
	argv := []string{"journalctl", "--no-pager", "--quiet", "--output=" + format, "--lines=" + strconv.Itoa(lines)}
	argv = append(argv, options...)
	return append(argv, "_SYSTEMD_UNIT="+cluster.UnitName(id))
}
