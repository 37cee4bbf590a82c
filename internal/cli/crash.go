package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func newCrashTest(a *app, s scope) *cobra.Command {
	var yes bool
	var kind, format string
	options := nodegroup.CrashOptions{}
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "break one thing, and see what the cluster makes of it",
		Long: `Breaks one thing, waits, and says when the cluster noticed, when it fenced the
node, when each service ran again, and whether anything else was touched. Then it
mends what it broke, also when it is interrupted.

  power    cuts the node's power
  freeze   makes the node hang
  cut      takes the node off the network, but for SSH
  process  kills the main process of a service or, where none runs, pacemaker-controld
  disk     the same, while the disk is full for all that the cluster and its services
           write on the node; what else is on the disk keeps its room

It refuses, unless --yes, where the cluster would lose its quorum, or a service
that can run nowhere else. It fails if not all services run again within the
time-out, or if anything else was touched.`,
		Example: "  " + s.prefix() + " crash test demo\n" +
			"  " + s.prefix() + " crash test demo --node=node1 --kind=freeze",
		Args: words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return usagef("invalid output format %q: use table or json", format)
			}
			options.Kind, options.Risk = nodegroup.CrashKind(kind), yes
			options.Confirm = func(node cluster.Node) error {
				return a.confirm(cmd.Context(), yes, "Break %s of cluster %q (%s)?", node.Name, args[0], kind)
			}
			ng, err := a.open(cmd.Context(), args[0], s)
			if err != nil {
				return err
			}
			defer a.close(ng)
			return a.crashTest(cmd.Context(), ng, options, format)
		},
	}
	cmd.Flags().StringVar(&options.Node, "node", "", "which node (default: the one that runs most services)")
	cmd.Flags().StringVar(&kind, "kind", string(nodegroup.CrashPower), "power, freeze, cut, process or disk")
	cmd.Flags().BoolVar(&options.LeaveBroken, "leave-broken", false, "do not mend what was broken")
	cmd.Flags().DurationVar(&options.Timeout, "timeout", 2*time.Minute,
		"for how long services may take to run again, and then the node to be back")
	yesFlag(cmd, &yes)
	formatFlag(cmd, &format, "table")
	return cmd
}

// crashTest shows what was seen also where the test broke off.
func (a *app) crashTest(ctx context.Context, ng *nodegroup.NodeGroup, options nodegroup.CrashOptions, format string) error {
	report, err := ng.CrashTest(ctx, options)
	if errors.Is(err, nodegroup.ErrCrashRisk) {
		return usageError{err}
	}
	if report.Broke == "" {
		return err
	}
	if shown := a.show(format, report, func(w io.Writer) { crashTable(w, report) }); shown != nil {
		return errors.Join(err, shown)
	}
	if report.Next != "" {
		a.say("next: %s", report.Next)
	}
	if err != nil {
		return err
	}
	if len(report.Faults) > 0 {
		return fmt.Errorf("crash test on %s: %s", report.Node, strings.Join(report.Faults, "; "))
	}
	return nil
}

func crashTable(w io.Writer, report nodegroup.CrashReport) {
	row(w, "0.0 s", report.Node+": "+report.Broke)
	event(w, report.Noticed, "the cluster noticed", "the cluster did not notice")
	if report.Fenced != nil || report.Fencing && report.Kind.LosesNode() {
		event(w, report.Fenced, report.Node+" was fenced", report.Node+" was not fenced")
	}
	for _, service := range report.Services {
		waits := fmt.Sprintf("service %q was not seen to start again", service.ID)
		event(w, service.Restarted, fmt.Sprintf("service %q runs again on %s", service.ID, service.To), waits)
	}
	if report.Back != nil {
		event(w, report.Back, report.Node+" is online again", "")
	} else {
		row(w, "now", fmt.Sprintf("%s is %s", report.Node, report.State))
	}
	for _, what := range report.Touched {
		row(w, "TOUCHED", what)
	}
	if len(report.Touched) == 0 {
		row(w, "", "nothing else was touched")
	}
}

// event is a row of what happened, or did not.
func event(w io.Writer, at *float64, did, didNot string) {
	if at == nil {
		row(w, "", didNot)
		return
	}
	row(w, seconds(*at), did)
}
