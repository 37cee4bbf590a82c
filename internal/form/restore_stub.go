package form

import (
	"context"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Restore stub.
func Restore(context.Context, *remote.Client, string) ([]string, error) { return nil, nil }
