// Sirikata-node is the program on every node of a cluster: see package agent.
package main

import (
	"context"
	"os"

	"github.com/sirikata/sirikata-cluster/internal/agent"
)

// version is what a release sets: -ldflags "-X main.version=1.2.3".
var version = "devel"

func main() {
	os.Exit(agent.Main(context.Background(), agent.Process{
		Args: os.Args, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Version: agent.Version(version),
	}))
}
