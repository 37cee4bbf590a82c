package cli

import (
	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// packageName is what a package is called unless the user says otherwise, as the
// nodes of EC2 know it.
const packageName = "sirikata.tar.bz2"

func newPackage(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "package DIRECTORY",
		Short: "package an installed Sirikata for nodes",
		Long: `Packages the bin, lib and share of an installed Sirikata in one file, for
"sync sirikata". The same files give the same archive: times and owners are left
out, modes, links and empty directories are kept. All that cannot be packaged, such
as a link that leads out of the tree, is named before anything is written.

It uses all processors, and is fastest where lbzip2 is installed.`,
		Example: "  " + name + " sirikata package /opt/sirikata\n" +
			"  " + name + " sirikata package /opt/sirikata --output=release-7.tar.bz2",
		Args: words("DIRECTORY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			meter := a.meter("packaging")
			packaged, err := nodegroup.Package(cmd.Context(), args[0], output, meter.at)
			meter.end()
			if err != nil {
				return err
			}
			a.print("packaged %s: %d files, %s, compressed by %s to %s", packaged.Output, packaged.Files,
				bytesText(packaged.Bytes), packaged.By, bytesText(packaged.Size))
			a.print("digest %s", packaged.Digest)
			return nil
		},
	}
	cmd.Flags().StringVar(&output, "output", packageName, "the file to write")
	return cmd
}
