package puppet

import (
	"context"
	_ "embed"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// restoreScript runs on a host; it uses what is in uninstallScript.
//
//go:embed restore.sh
var restoreScript string

//go:embed uninstall.sh
var uninstallScript string

// Restore leaves a host as it was before the first [Prepare]: it stops the cluster
// and its services there, and takes away what we installed and wrote. The host is
// reached as root. What stays is returned as "what: why", one by one: packages that
// others need by now, Puppet where somebody else uses it, directories that hold
// anything. A host that was not prepared is not touched, which is returned likewise.
//
// It may be called again at any time, also after it was interrupted.
//
// Errors: a host of another cluster is refused, and nothing is changed on it; else
// those of [remote.Client.Run].
func Restore(ctx context.Context, host *remote.Client, clusterName string) (left []string, err error) {
	return restore(ctx, host, stateDirectory, clusterName)
}

func restore(ctx context.Context, host runner, state, clusterName string) ([]string, error) {
	install, err := modules.ReadFile(installer)
	if err != nil {
		return nil, err
	}
	result, err := host.Run(ctx, remote.Command{
		Argv: []string{"sh", "-c", lockScript + uninstallScript + restoreScript, "sirikata-restore",
			state, clusterName, cluster.NodeFilePath, string(install)},
	})
	if err != nil {
		return nil, hostError("restore", host.Name(), err)
	}
	var left []string
	for line := range strings.Lines(string(result.Stdout)) {
		left = append(left, strings.TrimSpace(line))
	}
	return left, nil
}

// RecordedClusterPath is where a host has the name of the cluster that it was
// prepared for, until it is restored.
const RecordedClusterPath = stateDirectory + "/before/cluster"
