package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func newSyncFiles(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "files NAME NODE local:PATH|remote:PATH remote:PATH|local:PATH",
		Short: "copy files to a node, or from it",
		Long: `Copies a file or directory from this machine to a node (local: first) or from a
node to this machine (remote: first), as the user who logs in there, with modes, times
and symlinks. Links are copied as links.

A destination that ends in / is a directory that the source goes into, under its own
name; one that does not is the name of the copy itself. A / at the end of the source
only says that it is a directory. A directory that is there is added to: files of the
same name are replaced, each at once and whole, and others stay. A copy that is broken
off changes nothing.`,
		Example: "  " + s.prefix() + " sync files demo node1 local:world.db remote:/home/sirikata/world.db\n  " +
			s.prefix() + " sync files demo 1 remote:/var/log/redis local:logs/",
		Args: words("NAME", "NODE", "local:PATH|remote:PATH", "remote:PATH|local:PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, fromErr := fileEnd(args[2])
			to, toErr := fileEnd(args[3])
			if err := errors.Join(fromErr, toErr); err != nil {
				return err
			}
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				meter := a.meter("sending")
				copied, err := ng.SyncFiles(ctx, args[1], from, to, meter.at)
				meter.end()
				if err != nil {
					return err
				}
				where := "this machine"
				if to.OnNode {
					where = args[1]
				}
				files := "files"
				if copied.Files == 1 {
					files = "file"
				}
				a.print("copied %d %s, %s, to %s on %s", copied.Files, files, bytesText(copied.Bytes), copied.Path, where)
				return nil
			})
		},
	}
	waitFlag(cmd, &wait, syncTimeout)
	return cmd
}

// fileEnd reads one end of a copy. After "local:" no shell replaces ~.
func fileEnd(text string) (nodegroup.FileEnd, error) {
	end, err := nodegroup.ParseFileEnd(text)
	within, ofHome := strings.CutPrefix(end.Path, "~/")
	if err != nil || end.OnNode || !ofHome {
		return end, err
	}
	home, err := os.UserHomeDir()
	end.Path = home + "/" + within
	return end, err
}
