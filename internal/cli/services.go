package cli

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func newListServices(a *app, s scope) *cobra.Command {
	var format string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "services NAME",
		Short:   "list the services of a cluster, as they were added",
		Example: "  " + s.prefix() + " list services demo",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				services, err := ng.Services(ctx)
				if err != nil {
					return err
				}
				return a.show(format, services, func(w io.Writer) { serviceTable(w, services) })
			})
		},
	}
	formatFlag(cmd, &format, "table")
	waitFlag(cmd, &wait, readTimeout)
	return cmd
}

func serviceTable(w io.Writer, services []cluster.Service) {
	row(w, "INDEX", "SERVICE", "TARGET", "COMMAND")
	for i, service := range services {
		quoted := make([]string, 0, len(service.Command))
		for _, word := range service.Command {
			quoted = append(quoted, showWord(word))
		}
		row(w, i, service.ID, service.Target, strings.Join(quoted, " "))
	}
}

// showWord writes an argument so that its ends can be seen. It is for people;
// nothing reads it back.
func showWord(word string) string {
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == '"' || r == '\'' || r == '$' }) {
		return strconv.Quote(word)
	}
	return word
}

func newRemoveService(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "service NAME ID|INDEX",
		Short:   "stop a service and forget it",
		Example: "  " + s.prefix() + " remove service demo redis",
		Args:    words("NAME", "ID|INDEX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				id, err := serviceID(ctx, ng, args[1])
				if err != nil {
					return err
				}
				begin := time.Now()
				if err := ng.RemoveServices(ctx, []string{id}); err != nil {
					return err
				}
				a.print("removed service %q, after %.2f s", id, time.Since(begin).Seconds())
				return nil
			})
		},
	}
	waitFlag(cmd, &wait, serviceTimeout)
	return cmd
}

// serviceID is the id that the user means: an id, or an index in the list of
// services. An id never begins with a digit.
func serviceID(ctx context.Context, ng *nodegroup.NodeGroup, word string) (string, error) {
	index, err := strconv.Atoi(word)
	if err != nil {
		return word, cluster.ValidateServiceID(word)
	}
	services, err := ng.Services(ctx)
	if err != nil {
		return "", err
	}
	if index < 0 || index >= len(services) {
		return "", &cluster.NotFoundError{Kind: "service", Name: word, In: ng.Spec().Name, Known: idsOf(services)}
	}
	return services[index].ID, nil
}

func idsOf(services []cluster.Service) []string {
	ids := make([]string, 0, len(services))
	for _, service := range services {
		ids = append(ids, service.ID)
	}
	return ids
}

func newRemoveAll(a *app, s scope) *cobra.Command {
	var yes bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "services NAME",
		Short:   "stop all services and forget them",
		Example: "  " + s.prefix() + " remove all services demo",
		Args:    words("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				if err := a.confirm(ctx, yes, "Stop and forget all services of cluster %q?", args[0]); err != nil {
					return err
				}
				services, err := ng.Services(ctx)
				if err != nil {
					return err
				}
				if err := ng.RemoveServices(ctx, idsOf(services)); err != nil {
					return err
				}
				a.print("removed %s", counted(len(services), "service"))
				return nil
			})
		},
	}
	yesFlag(cmd, &yes)
	waitFlag(cmd, &wait, serviceTimeout)
	return cmd
}

func newRestart(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "service NAME ID|all",
		Short: "forget the failures of services and restart them",
		Example: "  " + s.prefix() + " restart service demo redis\n" +
			"  " + s.prefix() + " restart service demo all",
		Args: words("NAME", "ID|all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				services, err := ng.Services(ctx)
				if err != nil {
					return err
				}
				ids := []string{args[1]}
				// A service may be called "all"; then the word means it.
				if args[1] == "all" && !slices.Contains(idsOf(services), "all") {
					ids = idsOf(services)
				}
				restarted, err := ng.RestartServices(ctx, ids)
				for _, service := range restarted {
					a.started(service, "runs again")
				}
				return err
			})
		},
	}
	waitFlag(cmd, &wait, serviceTimeout)
	return cmd
}
