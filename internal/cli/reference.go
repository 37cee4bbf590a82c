package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

const referenceHead = `# Reference

Generated from the program; ` + "`make docs`" + ` writes it anew.

A command that serves clusters of every type stands at the top, and again under
each type: ` + "`sirikata-cluster status demo`" + ` and ` + "`sirikata-cluster local status demo`" + `
are the same, but that the second refuses a cluster of another type. Such commands
are listed once. Progress and errors go to standard error, answers to standard
output.

## Environment

| variable | means |
|---|---|
| SIRIKATA_CLUSTER_HOME | where specs, keys and pinned host keys are kept; ~/.sirikata-cluster if not set |

## Exit codes

`

// writeReference writes the whole command line in Markdown.
func writeReference(w io.Writer) error {
	root := newRoot(&app{env: nodegroup.FromEnv})
	var out bytes.Buffer
	out.WriteString(referenceHead)
	out.WriteString("| code | means |\n|---|---|\n")
	for _, row := range exitCodes() {
		fmt.Fprintf(&out, "| %d | %s |\n", row.code, row.means)
	}
	out.WriteString("\n## Commands\n")
	seen := map[string]bool{}
	for _, cmd := range leaves(root) {
		if words := wordsOf(cmd); !seen[words] {
			seen[words] = true
			referenceOf(&out, cmd)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// wordsOf is how a command is called, without the program and the type.
func wordsOf(cmd *cobra.Command) string {
	words := strings.TrimPrefix(cmd.CommandPath(), name+" ")
	for _, t := range nodegroup.Types() {
		words = strings.TrimPrefix(words, string(t)+" ")
	}
	return words
}

// leaves are the commands that do something, those of a type behind the others.
func leaves(cmd *cobra.Command) []*cobra.Command {
	var all, typed []*cobra.Command
	for _, sub := range cmd.Commands() {
		switch {
		case slices.Contains(nodegroup.Types(), cluster.Type(sub.Name())):
			typed = append(typed, leaves(sub)...)
		case sub.Args != nil || sub.DisableFlagParsing:
			all = append(all, sub)
			fallthrough
		case sub.HasSubCommands():
			all = append(all, leaves(sub)...)
		}
	}
	return append(all, typed...)
}

func referenceOf(out *bytes.Buffer, cmd *cobra.Command) {
	path := cmd.CommandPath()
	if cmd.HasParent() {
		path = cmd.Parent().CommandPath()
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(out, "\n### %s\n\n    %s %s\n\n%s\n\nExample:\n\n%s\n",
		cmd.CommandPath(), path, cmd.Use, sentence(text), indent(cmd.Example))
	var flags bytes.Buffer
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" {
			kind, usage := pflag.UnquoteUsage(flag)
			fmt.Fprintf(&flags, "| --%s | %s | %s | %s |\n", flag.Name, kind, usage, flag.DefValue)
		}
	})
	if flags.Len() > 0 {
		fmt.Fprintf(out, "\n| flag | value | means | default |\n|---|---|---|---|\n%s", flags.String())
	}
}

func sentence(text string) string {
	text = strings.ToUpper(text[:1]) + text[1:]
	return strings.TrimSuffix(text, ".") + "."
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
