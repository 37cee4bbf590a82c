package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// maxFile bounds the text of services or hosts that is read, in bytes. A thousand
// services with long commands are a tenth of it.
const maxFile = 16 << 20

func newAddServices(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "services NAME FILE|-",
		Short: "run many daemons, all in one transaction",
		Long: `Adds the services of a JSON array, with the fields that list services -o json
prints, and waits until each runs; "-" reads standard input. All faults of the
file are reported before anything is added. Those that do not start are removed
again, and named with the reason; the others stay.`,
		Example: "  " + s.prefix() + " add services demo world.json\n" +
			"  " + s.prefix() + " list services demo -o json | " + s.prefix() + " add services other -",
		Args: words("NAME", "FILE|-"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.readFile(args[1])
			if err != nil {
				return err
			}
			services, err := cluster.ParseServices(text)
			if err != nil {
				return err
			}
			return a.addServices(cmd.Context(), s, args[0], services, wait)
		},
	}
	waitFlag(cmd, &wait, servicesTimeout)
	return cmd
}

// servicesTimeout is how long many services may take to start.
const servicesTimeout = 10 * time.Minute

// readFile reads a file that the user names, or standard input.
func (a *app) readFile(path string) ([]byte, error) {
	from := a.in
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("read %s: it is larger than %d bytes", path, maxFile)
	}
	return text, err
}
