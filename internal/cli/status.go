package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// readTimeout is how long a command that only reads may take, with every node
// but one unreachable.
const readTimeout = 30 * time.Second

func newStatus(a *app, s scope) *cobra.Command {
	var format string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "status NAME",
		Short:   "the state of a cluster, its nodes and services",
		Example: "  " + s.prefix() + " status demo\n  " + s.prefix() + " status demo -o json",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				status, err := ng.Status(ctx)
				if err != nil {
					return err
				}
				return a.show(format, status, func(w io.Writer) { statusTable(w, status) })
			})
		},
	}
	formatFlag(cmd, &format, "table")
	waitFlag(cmd, &wait, readTimeout)
	return cmd
}

func statusTable(w io.Writer, status cluster.Status) {
	row(w, "cluster", status.Cluster+" ("+string(status.Type)+")")
	if status.Engine == cluster.Direct {
		row(w, "engine", "direct: a service whose node dies stays down")
	} else {
		pacemakerRows(w, status)
	}
	for _, warning := range status.Warnings {
		row(w, "WARNING", warning)
	}
	row(w)
	if status.Engine == cluster.Direct {
		row(w, "NODE", "STATE", "HOST", "CAPABILITIES")
	} else {
		row(w, "NODE", "STATE", "ROLE", "PROTECTED BY", "ADDRESS", "CAPABILITIES")
	}
	for _, node := range status.Nodes {
		if status.Engine == cluster.Direct {
			row(w, node.Name, node.State, node.Connect, commas(node.Capabilities))
			continue
		}
		row(w, node.Name, node.State, node.Role, node.Protection, node.Address, commas(node.Capabilities))
	}
	row(w)
	if len(status.Services) == 0 {
		row(w, "no services")
		return
	}
	row(w, "SERVICE", "STATE", "NODE", "TARGET", "FAILURES", "REASON")
	for _, service := range status.Services {
		row(w, service.ID, service.State, service.Node, service.Target, service.Failures, service.Reason)
	}
}

// pacemakerRows say how the nodes of a cluster agree, and what if one is lost.
func pacemakerRows(w io.Writer, status cluster.Status) {
	quorum := "yes"
	switch {
	case !status.Quorate && status.DC == "":
		quorum = "not known: the nodes have not agreed on a DC yet"
	case !status.Quorate:
		quorum = "NO: services are stopped until more than half of the nodes are online"
	}
	row(w, "quorate", quorum)
	row(w, "decides (DC)", status.DC)
	fencing := "on: a node that is lost is switched off before its services start elsewhere"
	switch {
	case status.Fencing && status.WatchdogSeconds > 0:
		fencing = "on: a node that is lost is switched off by its own watchdog; its services start elsewhere " +
			seconds(status.WatchdogSeconds) + " after it is noticed"
	case !status.Fencing:
		fencing = "off: a node that is cut off may keep running a service that was moved"
	}
	row(w, "fencing", fencing)
	row(w, "a dead node is noticed in", detection(status))
}

func detection(status cluster.Status) string {
	if status.RemoteDetectionSeconds == 0 {
		return seconds(status.DetectionSeconds)
	}
	return seconds(status.DetectionSeconds) + " if it is full, in " + seconds(status.RemoteDetectionSeconds) + " at most if it is remote"
}

// newList lists all clusters; it does not contact any node.
func newList(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list all clusters, or the services of one",
		Example: "  " + name + " list\n  " + name + " list services demo",
		Args:    words(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := a.environment()
			if err != nil {
				return err
			}
			specs, listErr := nodegroup.List(env)
			if specs == nil {
				specs = []cluster.Spec{}
			}
			if len(specs) == 0 && listErr == nil && format == "table" {
				a.say("no clusters yet; create one: %s local create NAME SIZE", name)
				return nil
			}
			for i := range specs {
				specs[i] = specs[i].Masked()
			}
			if err := a.show(format, specs, func(w io.Writer) { specTable(w, specs) }); err != nil {
				return err
			}
			return listErr
		},
	}
	formatFlag(cmd, &format, "table")
	return cmd
}

func specTable(w io.Writer, specs []cluster.Spec) {
	row(w, "CLUSTER", "TYPE", "ENGINE", "SIZE")
	for _, spec := range specs {
		row(w, spec.Name, spec.Type, spec.Engine, spec.Size)
	}
}
