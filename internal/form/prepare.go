package form

import (
	"context"

	"github.com/sirikata/sirikata-cluster/internal/puppet"
)

// prepare makes a host of the user's ready to be configured, and records what it was
// before.
func prepare(ctx context.Context, f *Former, m *member) error {
	_, watched := f.watchdog(m)
	return puppet.Prepare(ctx, m.client, f.nodeFile(m), watched)
}
