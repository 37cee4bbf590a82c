package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func newSSH(a *app, s scope) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ssh NAME [--] COMMAND…",
		Short:   "run a command on all nodes at once",
		Long:    "Runs a command on all nodes at once. Nodes that print the same are shown together.",
		Example: "  " + s.prefix() + " ssh demo -- uptime",
	}
	takesCommand(cmd, []string{"NAME"}, func(ctx context.Context, names, command []string) error {
		if len(command) == 0 {
			return wrongWords(cmd, names, []string{"NAME", "COMMAND…"})
		}
		ng, err := a.open(ctx, names[0], s)
		if err != nil {
			return err
		}
		defer a.close(ng)
		results, err := ng.RunAll(ctx, command)
		if err != nil {
			return err
		}
		return a.showResults(results)
	})
	return cmd
}

// showResults prints what each node printed, nodes that printed the same
// together, and returns the failures.
func (a *app) showResults(results []nodegroup.Result) error {
	var failed []error
	for _, same := range groupResults(results) {
		if len(same.output) > 0 {
			a.print("%s:", commas(same.nodes))
			for line := range bytes.Lines(same.output) {
				a.print("  %s", bytes.TrimRight(line, "\r\n"))
			}
		}
	}
	for _, result := range results {
		if result.Err != nil {
			failed = append(failed, someNodesError{result.Err})
		}
	}
	return errors.Join(failed...)
}

type sameResults struct {
	nodes  []string
	output []byte
}

// groupResults merges nodes with identical output, in the order of the first
// node of each.
func groupResults(results []nodegroup.Result) []sameResults {
	var groups []sameResults
	for _, result := range results {
		output := append(bytes.Clone(result.Stdout), result.Stderr...)
		found := false
		for i := range groups {
			if bytes.Equal(groups[i].output, output) {
				groups[i].nodes = append(groups[i].nodes, result.Node)
				found = true
			}
		}
		if !found {
			groups = append(groups, sameResults{nodes: []string{result.Node}, output: output})
		}
	}
	return groups
}

func newNodeSSH(a *app, s scope) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh NAME NODE [[--] COMMAND…]",
		Short: "a prompt on a node, or a command on it",
		Long: `Opens a prompt on a node, or runs a command there and exits with its exit
status. NODE is an index from 0, a name, an id or an address.`,
		Example: "  " + s.prefix() + " node ssh demo 1\n  " + s.prefix() + " node ssh demo node1 -- journalctl -n 20",
	}
	takesCommand(cmd, []string{"NAME", "NODE"}, func(ctx context.Context, words, command []string) error {
		ng, err := a.open(ctx, words[0], s)
		if err != nil {
			return err
		}
		defer a.close(ng)
		if len(command) == 0 {
			return a.prompt(ctx, ng, words[1])
		}
		err = ng.Run(ctx, words[1], command, a.in, a.out, a.err)
		var exit *nodegroup.ExitError
		if errors.As(err, &exit) && exit.Signal == "" {
			return exitStatus(exit.Code)
		}
		return err
	})
	return cmd
}

// prompt hands the terminal to the system's ssh.
func (a *app) prompt(ctx context.Context, ng *nodegroup.NodeGroup, node string) error {
	argv, err := ng.ShellArgs(ctx, node)
	if err != nil {
		return err
	}
	shell := exec.CommandContext(ctx, argv[0], argv[1:]...)
	shell.Stdin, shell.Stdout, shell.Stderr = a.in, a.out, a.err
	err = shell.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exitStatus(exit.ExitCode())
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return cluster.WithHint(fmt.Errorf("open a prompt on %s: there is no ssh program", node),
			"install the OpenSSH client")
	}
	return err
}

func newNodeTrust(a *app, s scope) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "trust NAME NODE",
		Short:   "accept the changed host key of a node",
		Example: "  " + s.prefix() + " node trust demo node1",
		Args:    words("NAME", "NODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ng, err := a.open(cmd.Context(), args[0], s)
			if err != nil {
				return err
			}
			defer a.close(ng)
			trusted, key, err := ng.OfferedKey(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			if trusted.Known == trusted.Now {
				a.print("%s has the host key that is trusted already, %s", trusted.Node, trusted.Now)
				return nil
			}
			if trusted.Known != "" {
				a.say("trusted until now: %s", trusted.Known)
			}
			a.say("%s now offers: %s", trusted.Node, trusted.Now)
			if err := a.confirm(cmd.Context(), yes, "Trust it from now on?"); err != nil {
				return err
			}
			if err := ng.Trust(trusted.Node, key); err != nil {
				return err
			}
			a.print("%s is trusted as %s from now on", trusted.Node, trusted.Now)
			return nil
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}
