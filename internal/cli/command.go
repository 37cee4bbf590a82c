package cli

import (
	"context"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// takesCommand makes cmd take n words and then the user's own command, which
// starts at the first word after them that is not a flag of ours; "--" before
// it is optional. Everything from there on belongs to the user, whatever it
// looks like.
func takesCommand(cmd *cobra.Command, names []string, run func(ctx context.Context, words, command []string) error) {
	cmd.DisableFlagParsing = true
	cmd.DisableFlagsInUseLine = true // ours come before the COMMAND
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cmd.InitDefaultHelpFlag()
		found, command, err := splitWords(cmd.Flags(), args, len(names))
		if help, _ := cmd.Flags().GetBool("help"); help {
			return cmd.Help()
		}
		if err != nil {
			return flagError(cmd, err)
		}
		if len(found) < len(names) {
			return wrongWords(cmd, found, names)
		}
		return run(cmd.Context(), found, command)
	}
}

// negative is a number that looks like a flag. None of our flags is a digit.
var negative = regexp.MustCompile(`^-[0-9]+$`)

// splitWords parses flags up to the n-th word and those that follow it.
func splitWords(flags *pflag.FlagSet, args []string, n int) (words, rest []string, err error) {
	flags.SetInterspersed(false)
	for {
		if len(words) < n && len(args) > 0 && negative.MatchString(args[0]) {
			words, args = append(words, args[0]), args[1:]
			continue
		}
		if err := flags.Parse(args); err != nil {
			return words, nil, err
		}
		if len(args) == 0 {
			return words, nil, nil
		}
		args = flags.Args()
		if len(words) == n || len(args) == 0 {
			return words, args, nil
		}
		words, args = append(words, args[0]), args[1:]
	}
}

// waitFlag adds --timeout to a command that waits.
func waitFlag(cmd *cobra.Command, wait *time.Duration, value time.Duration) {
	cmd.Flags().DurationVar(wait, "timeout", value, "give up after this time")
}

// within runs do for no longer than wait.
func within(ctx context.Context, wait time.Duration, do func(context.Context) error) error {
	if wait <= 0 {
		return usagef("invalid time-out %v: it must be more than 0", wait)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, fmt.Errorf("gave up after %v", wait))
	defer cancel()
	return do(ctx)
}

// yesFlag adds --yes to a destructive command.
func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVar(yes, "yes", false, "do not ask")
}

// confirm asks on a terminal. Without one, naming the cluster is consent.
func (a *app) confirm(ctx context.Context, yes bool, format string, args ...any) error {
	if yes || !isTerminal(a.in) {
		return nil
	}
	fmt.Fprintf(a.err, format+" [y/N] ", args...)
	answered := make(chan string, 1)
	go func() {
		var answer string
		if _, err := fmt.Fscanln(a.in, &answer); err != nil {
			answer = "" // more than one word is no answer either
		}
		answered <- strings.ToLower(answer)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case answer := <-answered:
		if answer == "y" || answer == "yes" {
			return nil
		}
		return cluster.WithHint(usagef("not confirmed"), "answer y, or give --yes")
	}
}
