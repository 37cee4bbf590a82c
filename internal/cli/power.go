package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// powerTimeout is how long switching a node may take: systemd gives its
// services 90 s at a clean stop.
const powerTimeout = 2 * time.Minute

func newKill(a *app) *cobra.Command {
	return newPower(a, "kill", "power a node off, as a power cut does", "killed", (*nodegroup.NodeGroup).Kill)
}

func newStop(a *app) *cobra.Command {
	return newPower(a, "stop", "shut a node down", "stopped", (*nodegroup.NodeGroup).Stop)
}

func newStart(a *app) *cobra.Command {
	return newPower(a, "start", "power a node on", "powered on", (*nodegroup.NodeGroup).Start)
}

func newPower(a *app, verb, short, did string, do func(*nodegroup.NodeGroup, context.Context, string) (cluster.Node, error)) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " NAME NODE",
		Short:   short,
		Example: "  " + name + " local nodes " + verb + " demo node1",
		Args:    words("NAME", "NODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), scope(cluster.Local), args[0], powerTimeout, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				node, err := do(ng, ctx, args[1])
				if err != nil {
					return err
				}
				a.print("%s %s", did, node.Name)
				return nil
			})
		},
	}
}
