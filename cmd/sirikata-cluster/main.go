// Command sirikata-cluster manages clusters of nodes that run daemons.
package main

import (
	"os"

	"github.com/sirikata/sirikata-cluster/internal/cli"
)

func main() { os.Exit(cli.Main()) }
