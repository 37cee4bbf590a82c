package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// parseSize reads the number of nodes.
func parseSize(text string) (int, error) {
	size, err := strconv.Atoi(text)
	if err != nil {
		return 0, usagef("size %q is not a number", text)
	}
	return size, nil
}

func newBoot(a *app, s scope) *cobra.Command {
	var wait int
	cmd := &cobra.Command{
		Use:   "boot NAME",
		Short: "make the nodes one cluster, allocating those that are missing",
		Long: `Allocates nodes that are missing, powers on those that are off, configures them
and waits until the cluster is quorate and every node is online. Booting a
cluster that is complete changes nothing; one that was left half-way is
completed. Hosts that you have must answer: fix corosync does without those that
do not.`,
		Example: "  " + s.prefix() + " nodes boot demo",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if wait < 0 {
				return usagef("invalid --wait-timeout %d: it must not be negative", wait)
			}
			ng, err := a.open(cmd.Context(), args[0], s)
			if err != nil {
				return err
			}
			defer a.close(ng)
			if !ng.NeedsBoot() {
				a.say("next: %s add service %s ID NODE|any -- /path/to/daemon --pid-file=PIDFILE", name, args[0])
				return a.noBoot(ng, "needs no boot: its nodes are hosts that run, and its engine is direct")
			}
			if wait == 0 {
				return a.allocateOnly(cmd.Context(), ng)
			}
			begin := time.Now()
			err = within(cmd.Context(), time.Duration(wait)*time.Second, func(ctx context.Context) error {
				nodes, changed, err := ng.Boot(ctx)
				if err != nil {
					return err
				}
				a.booted(ng, nodes, changed, "is complete: nothing to do", time.Since(begin))
				return nil
			})
			return a.unfinished(ng, err, "nodes boot")
		},
	}
	cmd.Flags().IntVar(&wait, "wait-timeout", 300, "seconds to wait for the cluster; 0: only allocate the nodes")
	return cmd
}

func (a *app) allocateOnly(ctx context.Context, ng *nodegroup.NodeGroup) error {
	nodes, err := ng.Allocate(ctx)
	if err != nil {
		return err
	}
	if ng.Spec().Type == cluster.AdHoc {
		a.print("nothing to allocate: the nodes of cluster %q are hosts that you have", ng.Spec().Name)
	} else {
		a.print("allocated %d nodes", len(nodes))
	}
	a.say("next: %s nodes boot %s", name, ng.Spec().Name)
	return nil
}

func (a *app) booted(ng *nodegroup.NodeGroup, nodes []cluster.Node, changed bool, unchanged string, took time.Duration) {
	clusterName := ng.Spec().Name
	online := 0
	for _, node := range nodes {
		if node.State == cluster.Online {
			online++
		}
	}
	if !changed {
		a.print("cluster %q %s (%d nodes online)", clusterName, unchanged, online)
		return
	}
	a.print("cluster %q is quorate: %d nodes online, after %s", clusterName, online, seconds(took.Seconds()))
	switch {
	case ng.Spec().Fencing:
	case ng.Spec().Type == cluster.AdHoc:
		a.say(unfenced)
	default:
		a.say("nothing fences its nodes: a node that is cut off may keep running a service that was moved")
	}
	a.say("next: %s add service %s ID any -- /path/to/daemon --pid-file=PIDFILE", name, clusterName)
}

// unfinished says what is left when a change of nodes was interrupted.
func (a *app) unfinished(ng *nodegroup.NodeGroup, err error, command string) error {
	if err == nil || errors.Is(err, cluster.ErrLocked) || cluster.HintOf(err) != "" {
		return err
	}
	return cluster.WithHint(err, "what was done stays; complete it with %s %s %s %s, or release the nodes with nodes terminate",
		name, ng.Spec().Type, command, ng.Spec().Name)
}

func newFixCorosync(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "corosync NAME",
		Short:   "configure every node anew and complete the cluster",
		Example: "  " + s.prefix() + " fix corosync demo",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			begin := time.Now()
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				nodes, changed, err := ng.FixCorosync(ctx)
				if err != nil {
					return err
				}
				a.booted(ng, nodes, changed, "needed no repair", time.Since(begin))
				return nil
			})
		},
	}
	waitFlag(cmd, &wait, 5*time.Minute)
	return cmd
}

func newTerminate(a *app, s scope) *cobra.Command {
	var yes bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "terminate NAME",
		Short: "release all nodes; the spec stays",
		Long: `Releases all nodes, with all that runs on them. Hosts that you have are left as they
were before they were booted: what was installed and configured there is taken off
again. The spec stays, and another boot begins anew.`,
		Example: "  " + s.prefix() + " nodes terminate demo",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				if !ng.NeedsBoot() {
					a.say("to stop all that it runs: %s remove all services %s", name, args[0])
					return a.noBoot(ng, "has no nodes to release: its hosts are yours")
				}
				question, none, done := "Release all nodes of cluster %q, with all that runs on them?", "has no nodes", "released"
				if ng.Spec().Type == cluster.AdHoc {
					question, none, done = "Stop all that cluster %q runs, and leave its hosts as they were?", "has nothing on its hosts", "left as they were:"
				}
				if err := a.confirm(ctx, yes, question, args[0]); err != nil {
					return err
				}
				released, err := ng.Terminate(ctx)
				if err != nil {
					return err
				}
				if released == 0 {
					a.print("cluster %q %s: nothing to do", args[0], none)
					return nil
				}
				a.print("%s %s of cluster %q", done, counted(released, "node"), args[0])
				return nil
			})
		},
	}
	yesFlag(cmd, &yes)
	waitFlag(cmd, &wait, 5*time.Minute)
	return cmd
}

// askTimeout leaves time to answer.
const askTimeout = 5 * time.Minute

func newDestroy(a *app, s scope) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "destroy NAME",
		Short:   "forget a cluster that has no nodes any more, or no services on your hosts",
		Example: "  " + s.prefix() + " destroy demo",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], askTimeout, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				if err := a.confirm(ctx, yes, "Forget cluster %q?", args[0]); err != nil {
					return err
				}
				if err := ng.Destroy(ctx, yes); err != nil {
					return err
				}
				left := "no node is left"
				if ng.Spec().Type == cluster.AdHoc {
					left = "its hosts are as they were"
				}
				a.print("destroyed cluster %q: %s", args[0], left)
				return nil
			})
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func newMembersInfo(a *app, s scope) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "info NAME",
		Short: "list the nodes of a cluster",
		Long:  "Lists the nodes: as a table on a terminal, otherwise as a JSON array.",
		Example: "  " + s.prefix() + " members info demo\n" +
			"  " + s.prefix() + " members info demo -o json",
		Args: words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ng, err := a.open(cmd.Context(), args[0], s)
			if err != nil {
				return err
			}
			defer a.close(ng)
			nodes, err := ng.Nodes(cmd.Context())
			if err != nil {
				return err
			}
			if format == "" {
				format = "json"
				if isTerminal(a.out) {
					format = "table"
				}
			}
			return a.show(format, nodes, func(w io.Writer) { nodeTable(w, nodes) })
		},
	}
	formatFlag(cmd, &format, "")
	return cmd
}

func nodeTable(w io.Writer, nodes []cluster.Node) {
	row(w, "NODE", "STATE", "ROLE", "ADDRESS", "CONNECT", "ID")
	for _, node := range nodes {
		row(w, node.Name, node.State, node.Role, node.Address, node.Connect, shortID(node.ID))
	}
}

// shortID cuts the long ids of containers. What a person calls a host by is whole.
func shortID(id string) string {
	if strings.ContainsAny(id, ".: ") {
		return id
	}
	return fmt.Sprintf("%.12s", id)
}
