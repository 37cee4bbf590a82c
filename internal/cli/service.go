package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func newServiceStatus(a *app, s scope) *cobra.Command {
	var format string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "status NAME ID",
		Short:   "whether a service runs: exit status 0, or 3 if it does not",
		Example: "  " + s.prefix() + " service status demo redis",
		Args:    words("NAME", "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				return a.serviceStatus(ctx, ng, args[1], format)
			})
		},
	}
	formatFlag(cmd, &format, "table")
	waitFlag(cmd, &wait, readTimeout)
	return cmd
}

func (a *app) serviceStatus(ctx context.Context, ng *nodegroup.NodeGroup, id, format string) error {
	status, err := ng.Status(ctx)
	if err != nil {
		return err
	}
	service, ok := status.Service(id)
	if !ok {
		for _, warning := range status.Warnings { // it may be where nobody could look
			a.say("%s", warning)
		}
		var known []string
		for _, each := range status.Services {
			known = append(known, each.ID)
		}
		return &cluster.NotFoundError{Kind: "service", Name: id, In: status.Cluster, Known: known}
	}
	err = a.show(format, service, func(w io.Writer) {
		row(w, "SERVICE", "STATE", "NODE", "FAILURES")
		row(w, service.ID, service.State, service.Node, service.Failures)
	})
	if err != nil || service.State == cluster.Running {
		return err
	}
	return stateError{errors.New(notRunning(service))}
}

// notRunning says that a service does not run, and why.
func notRunning(service cluster.ServiceStatus) string {
	text := fmt.Sprintf("service %q does not run: it is %s", service.ID, service.State)
	if service.State == cluster.Failed {
		text = fmt.Sprintf("service %q failed", service.ID)
	}
	if service.Reason != "" {
		text += ": " + service.Reason
	}
	return text
}

func newServiceLogs(a *app, s scope) *cobra.Command {
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:     "logs NAME ID",
		Short:   "what a service printed last",
		Example: "  " + s.prefix() + " service logs demo redis -f",
		Args:    words("NAME", "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lines < 0 {
				return usagef("invalid --lines %d: it must not be negative", lines)
			}
			ng, err := a.open(cmd.Context(), args[0], s)
			if err != nil {
				return err
			}
			defer a.close(ng)
			out := &counting{Writer: a.out}
			err = ng.Logs(cmd.Context(), args[1], lines, follow, out)
			if err == nil && out.n == 0 {
				a.say("service %q has printed nothing", args[1])
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what it prints from now on")
	cmd.Flags().IntVarP(&lines, "lines", "n", 100, "how many lines")
	return cmd
}

// counting counts what is written.
type counting struct {
	io.Writer
	n int
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += n
	return n, err
}
