package puppet

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// recordScript and bootstrapScript after it are what runs on a host.
//
//go:embed record.sh
var recordScript string

//go:embed bootstrap.sh
var bootstrapScript string

// installer is what installs packages, for Puppet and for us.
const installer = "modules/sirikata/files/install-packages"

// exitRefused is what the scripts end with that changed nothing.
const exitRefused = 69

// Prepare makes a host that the user has ready for [Apply]: it records what is
// there, for [Restore], and installs Debian's puppet-agent where there is no Puppet.
// Puppet's own service is not enabled. sbd says whether it is to get that. The host is
// reached as root.
//
// It comes before anything is changed on the host. It may be called again at any
// time, also after it was interrupted; what is recorded stays.
//
// Errors: a host that cannot become a node of the cluster is refused, and nothing
// is changed on it; else those of [remote.Client.Run].
func Prepare(ctx context.Context, host *remote.Client, node cluster.NodeFile, sbd bool) error {
	return prepare(ctx, host, stateDirectory, node, sbd)
}

func prepare(ctx context.Context, host runner, state string, node cluster.NodeFile, sbd bool) error {
	install, err := modules.ReadFile(installer)
	if err != nil {
		return err
	}
	_, err = host.Run(ctx, remote.Command{
		Argv: []string{"sh", "-c", lockScript + recordScript + bootstrapScript, "sirikata-prepare",
			state, node.Cluster, cluster.NodeFilePath, strings.TrimSpace(touchedByPuppet), string(install)},
		Stdin: strings.NewReader(touchedFor(node, sbd)),
	})
	return hostError("prepare", host.Name(), err)
}

// wouldRemove is in what install-packages refuses with.
const (
	wouldRemove     = "of the host's would be removed"
	hintWouldRemove = "remove them yourself if you can do without them, or take another host"
)

// hostError is the error of a script about a whole host.
func hostError(verb, host string, err error) error {
	var exit *remote.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit) || exit.Code != exitRefused:
		return fmt.Errorf("%s %s: %w", verb, host, err)
	}
	// Before it there is what was written of a refusal of install-packages.
	said := strings.TrimSpace(string(exit.Stderr))
	why := said[strings.LastIndex(said, "\n")+1:]
	refused := fmt.Errorf("%s %s: %s", verb, host, why)
	if _, owner, foreign := strings.Cut(why, "belongs to cluster "); foreign {
		return cluster.WithHint(refused, "terminate cluster %s, or take the host out of it, first", owner)
	}
	if strings.Contains(why, "for a cluster that is not of sirikata-cluster") {
		return cluster.WithHint(refused, "take the host out of that cluster first, with the tool that made it "+
			"(pcs cluster node remove, crm cluster remove); if it is in none: "+
			"systemctl disable --now pacemaker pacemaker_remote corosync")
	}
	if strings.Contains(why, wouldRemove) {
		return cluster.WithHint(refused, hintWouldRemove)
	}
	return cluster.WithHint(refused, "a node runs Debian 12 or later, or what is made from it, with systemd: "+
		"Puppet 7, Corosync 3 and Pacemaker 2.1 are installed by apt-get")
}
