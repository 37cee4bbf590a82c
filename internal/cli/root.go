package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// scope is where a command stands: under a type of clusters, or, empty, at the
// top, where it serves clusters of every type.
type scope cluster.Type

// check refuses a cluster of another type.
func (s scope) check(spec cluster.Spec) error {
	if s == "" || cluster.Type(s) == spec.Type {
		return nil
	}
	return cluster.WithHint(usagef("cluster %q is of type %s, not %s", spec.Name, spec.Type, string(s)),
		"use %s %s …, or leave the type out", name, spec.Type)
}

// prefix is how a command of this scope begins.
func (s scope) prefix() string {
	if s == "" {
		return name
	}
	return name + " " + string(s)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   name,
		Short: "clusters of nodes that run daemons, and fail them over",
		Long: `Gets you a cluster of nodes that run Sirikata services, or any daemons:
allocates and configures nodes, forms a cluster without a head node, adds and
removes services, and fails them over when nodes die.`,
		Example: `  sirikata-cluster local create demo 3
  sirikata-cluster local nodes boot demo
  sirikata-cluster add service demo redis any -- /usr/bin/redis-server --daemonize yes --pidfile PIDFILE`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args:          cobra.ArbitraryArgs, // or cobra itself refuses an unknown command, as no usage error
		RunE:          lead,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(newHelp(root))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(shared(a, "")...)
	root.AddCommand(group("sirikata", "package Sirikata for nodes", newPackage(a)))
	for _, t := range nodegroup.Types() {
		of := group(string(t), typeShort[t])
		of.AddCommand(shared(a, scope(t))...)
		of.AddCommand(specific(a, t)...)
		root.AddCommand(merge(of.Commands(), of)...)
	}
	exemplify(root)
	return root
}

// newHelp is the command that cobra would add, but that it fails when there is
// no such command.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND…]",
		Short:   "help about a command",
		Example: "  " + name + " help add service",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = unknownCommand(cmd, rest[0])
			}
			if err != nil {
				return err
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// exemplify gives words that only lead to others the example of the first.
func exemplify(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		exemplify(sub)
		if cmd.Example == "" {
			cmd.Example = sub.Example
		}
	}
}

var typeShort = map[cluster.Type]string{
	cluster.Local: "clusters of containers on this machine",
	cluster.AdHoc: "clusters of hosts that you already have",
}

// specific are the commands that only one type of clusters has.
func specific(a *app, t cluster.Type) []*cobra.Command {
	switch t {
	case cluster.Local:
		return localCommands(a)
	case cluster.AdHoc:
		return adhocCommands(a)
	case cluster.EC2:
	}
	return nil
}

// shared are the commands that every type of clusters has.
func shared(a *app, s scope) []*cobra.Command {
	addNode := newAddNode
	if s == scope(cluster.AdHoc) {
		addNode = newAdHocAddNode
	}
	commands := []*cobra.Command{
		newStatus(a, s),
		newSSH(a, s),
		newDestroy(a, s),
		group("members", "the nodes of a cluster", newMembersInfo(a, s)),
		group("nodes", "allocate and release the nodes of a cluster", newBoot(a, s), newTerminate(a, s)),
		group("node", "one node of a cluster", newNodeSSH(a, s), newNodeTrust(a, s)),
		group("fix", "repair a cluster", newFixCorosync(a, s)),
		group("add", "add services and nodes", newAddService(a, s), newAddServices(a, s), addNode(a, s)),
		group("remove", "remove services and nodes", newRemoveService(a, s), newRemoveNode(a, s),
			group("all", "remove everything", newRemoveAll(a, s))),
		group("restart", "restart services", newRestart(a, s)),
		group("sync", "put Sirikata and files on nodes", newSyncSirikata(a, s), newSyncFiles(a, s)),
		group("service", "one service", newServiceStatus(a, s), newServiceLogs(a, s)),
	}
	list := newListServices(a, s)
	if s != scope(cluster.Local) {
		sudoFlag(a, append(commands, list)...)
	}
	if s != scope(cluster.AdHoc) { // nothing of ours can break the user's own hosts
		commands = append(commands, group("crash", "see how a cluster bears faults", newCrashTest(a, s)))
	}
	if s == "" {
		clusters := newList(a)
		clusters.AddCommand(list)
		return append(commands, clusters)
	}
	return append(commands, group("list", "list services", list))
}

// merge adds the parts of groups of the same name to one command.
func merge(parts []*cobra.Command, into *cobra.Command) []*cobra.Command {
	byName := map[string]*cobra.Command{}
	for _, part := range parts {
		first, ok := byName[part.Name()]
		if !ok {
			byName[part.Name()] = part
			continue
		}
		into.RemoveCommand(part)
		first.AddCommand(part.Commands()...)
	}
	return []*cobra.Command{into}
}

// group is a word that only leads to other words.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, RunE: lead}
	cmd.AddCommand(commands...)
	return cmd
}

// lead is what a word does that only leads to other words.
func lead(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return unknownCommand(cmd, args[0])
}

func unknownCommand(cmd *cobra.Command, word string) error {
	var words []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			words = append(words, sub.Name())
		}
	}
	return cluster.WithHint(usagef("unknown command %q for %q", word, cmd.CommandPath()),
		"its commands are %s", strings.Join(words, ", "))
}

func flagError(cmd *cobra.Command, err error) error {
	return cluster.WithHint(usageError{err}, "%s --help", cmd.CommandPath())
}

// words checks the number of words of a command against its usage line.
func words(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return wrongWords(cmd, args, names)
	}
}

// wordsBetween is words where the last one may be left out.
func wordsBetween(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names)-1 {
			return nil
		}
		return words(names...)(cmd, args)
	}
}

func wrongWords(cmd *cobra.Command, args, names []string) error {
	_, takes, _ := strings.Cut(strings.ReplaceAll(cmd.Use, " [flags]", ""), " ")
	err := usagef("%s takes %s", cmd.CommandPath(), takes)
	if len(names) == 0 {
		err = usagef("%s takes no words, but there is %s", cmd.CommandPath(), cluster.QuoteWord(args[0]))
	} else if len(args) > len(names) {
		err = usagef("%s takes %s: %s is too much", cmd.CommandPath(), takes, cluster.QuoteWord(args[len(names)]))
	}
	return cluster.WithHint(err, "%s", fmt.Sprintf("%s --help", cmd.CommandPath()))
}

// usageTemplate is shorter than cobra's, and without the examples, with which
// our help begins.
const usageTemplate = `Usage:{{if .HasSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if or (and .Args .HasParent) (not .HasSubCommands)}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

const helpTemplate = `{{if .HasExample}}Example:
{{.Example}}

{{end}}{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`
