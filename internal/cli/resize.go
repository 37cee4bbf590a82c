package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func newAddNode(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "node NAME [COUNT|HOST]",
		Short: "add nodes to a cluster that runs",
		Long: `Allocates nodes and adds them to the cluster, which goes on meanwhile. An addition
that was left half-way is completed by the next one, in its place. To a cluster of
hosts that you have it adds the HOST, as adhoc add node does.`,
		Example: "  " + s.prefix() + " add node demo\n  " + s.prefix() + " add node demo 4",
		Args:    wordsBetween("NAME", "COUNT|HOST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			begin := time.Now()
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				if ng.Spec().Type == cluster.AdHoc && len(args) > 1 {
					return a.addHost(ctx, ng, args[1])
				}
				count := 1
				if len(args) > 1 {
					var err error
					if count, err = strconv.Atoi(args[1]); err != nil {
						return usagef("invalid number of nodes %s", cluster.QuoteWord(args[1]))
					}
				}
				added, err := ng.AddNodes(ctx, count)
				if err != nil {
					return err
				}
				if len(added) == 0 {
					a.print("completed the addition of nodes that was begun, after %s", seconds(time.Since(begin).Seconds()))
					return nil
				}
				var names []string
				for _, node := range added {
					names = append(names, fmt.Sprintf("%s (%s)", node.Name, node.Role))
				}
				a.print("added %s, after %s", strings.Join(names, ", "), seconds(time.Since(begin).Seconds()))
				return nil
			})
		},
	}
	waitFlag(cmd, &wait, 5*time.Minute)
	return cmd
}

func newRemoveNode(a *app, s scope) *cobra.Command {
	var yes bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "node NAME NODE",
		Short: "take a node out of a cluster, and release it",
		Long: `Moves away what runs on the node, takes it out of the cluster, which goes on
meanwhile, and releases it. A node that is off, does not answer or is no more can
be removed all the same. A host of the engine direct must have no service: none
moves.`,
		Example: "  " + s.prefix() + " remove node demo node2",
		Args:    words("NAME", "NODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			begin := time.Now()
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				if err := a.confirm(ctx, yes, "Remove node %s of cluster %q for good?", args[1], args[0]); err != nil {
					return err
				}
				removed, stranded, err := ng.RemoveNode(ctx, args[1])
				if err != nil {
					return err
				}
				a.print("removed %s, after %s", removed.Name, seconds(time.Since(begin).Seconds()))
				if len(stranded) > 0 {
					a.say("these services may run on %s only, and run nowhere now: %s", removed.Name, strings.Join(stranded, ", "))
				}
				return nil
			})
		},
	}
	yesFlag(cmd, &yes)
	waitFlag(cmd, &wait, 5*time.Minute)
	return cmd
}
