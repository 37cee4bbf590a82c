package form

import (
	"context"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/puppet"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// prepare makes a host of the user's ready to be configured, and records what it was
// before.
func prepare(ctx context.Context, f *Former, m *member) error {
	return puppet.Prepare(ctx, m.client, f.nodeFile(m))
}

// Restore takes a host out of its role in a cluster for good: it stops what runs
// there for the cluster and leaves the host as it was before it was prepared. The
// client's commands run as root. What stays is returned as "what: why". A host that
// was not prepared is not touched, which is returned likewise; one of another
// cluster is refused.
//
// Where all nodes of a cluster are restored, they should be so at the same time:
// Pacemaker stops cleanly while the others answer. It may be called again at any
// time, also after it was interrupted.
func Restore(ctx context.Context, client *remote.Client, clusterName string) (left []string, err error) {
	left, err = puppet.Restore(ctx, client, clusterName)
	if err != nil {
		return nil, &cluster.NodeError{Node: client.Name(), Err: err}
	}
	return left, nil
}
