package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// syncTimeout is how long a sync may take; links may be slow.
const syncTimeout = 4 * time.Hour

func newSyncSirikata(a *app, s scope) *cobra.Command {
	var wait time.Duration
	var options nodegroup.SyncOptions
	var rollback bool
	cmd := &cobra.Command{
		Use:   "sirikata NAME DIRECTORY|PACKAGE|--rollback",
		Short: "put a release of Sirikata on all nodes",
		Long: `Puts a release on all nodes at once: an installed Sirikata, or what "sirikata
package" made of one. Each node is switched to it when all of it is there; services go
on with the release that they run until they are restarted. A node that has the release
gets nothing sent, and a transfer that was cut off is gone on with. The last three
releases stay, and those that something runs.

--rollback goes back to the release before. A node on which something fails is as it
was, and is named; the others are done.`,
		Example: "  " + s.prefix() + " sync sirikata demo /opt/sirikata\n  " + s.prefix() + " sync sirikata demo sirikata.tar.bz2\n  " +
			s.prefix() + " sync sirikata demo --rollback",
		Args: func(cmd *cobra.Command, args []string) error {
			if rollback {
				return words("NAME")(cmd, args)
			}
			return words("NAME", "DIRECTORY|PACKAGE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if rollback && options.InPlace {
				return usagef("--in-place leaves nothing to roll back to: give one of both")
			}
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				if rollback {
					synced, err := ng.RollbackSirikata(ctx)
					if err != nil {
						return err
					}
					return a.showSynced(ng, "", synced)
				}
				return a.syncSirikata(ctx, ng, args[1], options)
			})
		},
	}
	cmd.Flags().BoolVar(&rollback, "rollback", false, "go back to the release before")
	cmd.Flags().BoolVar(&options.InPlace, "in-place", false, "unpack over what is there, without releases and with no way back")
	waitFlag(cmd, &wait, syncTimeout)
	return cmd
}

func (a *app) syncSirikata(ctx context.Context, ng *nodegroup.NodeGroup, path string, options nodegroup.SyncOptions) error {
	meter := a.meter("sending")
	options.Progress = meter.at
	digest, synced, err := ng.SyncSirikata(ctx, path, options)
	meter.end()
	if err != nil {
		return err
	}
	return a.showSynced(ng, digest, synced)
}

// showSynced says what came of a sync, nodes of which the same is said together,
// and returns the failures.
func (a *app) showSynced(ng *nodegroup.NodeGroup, digest string, synced []nodegroup.Synced) error {
	var order []string
	nodes := map[string][]string{}
	var failed []error
	for _, node := range synced {
		if node.Err != nil {
			failed = append(failed, someNodesError{node.Err})
			continue
		}
		said := whatSynced(node, digest)
		if !slices.Contains(order, said) {
			order = append(order, said)
		}
		nodes[said] = append(nodes[said], node.Node)
	}
	for _, said := range order {
		a.print("%s: %s", commas(nodes[said]), said)
	}
	a.showOld(ng, synced)
	return errors.Join(failed...)
}

// whatSynced says what came of a sync on one node.
func whatSynced(node nodegroup.Synced, digest string) string {
	now := shortDigest(node.Release)
	switch {
	case node.Release == node.Before && digest == "":
		return fmt.Sprintf("stays at release %s, to which the others went back", now)
	case node.Release == node.Before && node.Sent == 0:
		return fmt.Sprintf("has release %s already", now)
	case digest == "":
		return fmt.Sprintf("went back from release %s to %s", shortDigest(node.Before), now)
	}
	said := "switched to release " + now
	if node.Before != "" && node.Before != node.Release {
		said += " from " + shortDigest(node.Before)
	}
	if node.Sent == 0 {
		said += ", which was there"
	} else {
		said += ", sent " + bytesText(node.Sent)
	}
	if len(node.Pruned) > 0 {
		pruned := make([]string, len(node.Pruned))
		for i, digest := range node.Pruned {
			pruned[i] = shortDigest(digest)
		}
		said += "; removed " + strings.Join(pruned, ", ")
	}
	return said
}

// shortDigest is enough of a digest to tell releases apart.
func shortDigest(digest string) string { return digest[:min(12, len(digest))] }

// showOld says what still runs another release, and how to restart it.
func (a *app) showOld(ng *nodegroup.NodeGroup, synced []nodegroup.Synced) {
	var services []string
	for _, node := range synced {
		var said []string
		for _, old := range node.Old {
			what := fmt.Sprintf("service %q", old.Service)
			if old.Service == "" {
				what = fmt.Sprintf("process %d (%s)", old.PID, old.Program)
			} else if !slices.Contains(services, old.Service) {
				services = append(services, old.Service)
			}
			what += " still runs release " + shortDigest(old.Release)
			if !slices.Contains(said, what) {
				said = append(said, what)
			}
		}
		for _, what := range said {
			a.print("%s: %s", node.Node, what)
		}
	}
	spec := ng.Spec()
	for _, service := range services {
		a.print("restart it when you like: %s %s restart service %s %s", name, spec.Type, spec.Name, service)
	}
}
