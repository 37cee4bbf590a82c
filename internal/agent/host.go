package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// host is what the agent asks of the machine besides systemd.
type host struct {
	node       func() (cluster.NodeFile, error)
	account    func(ctx context.Context, user string) (keeper.Account, error)
	mayExecute func(who keeper.Account, path string) error
}

func thisHost() host {
	return host{
		node:       func() (cluster.NodeFile, error) { return readNodeFile(cluster.NodeFilePath) },
		account:    keeper.LookUpAccount,
		mayExecute: keeper.MayExecute,
	}
}

func readNodeFile(path string) (cluster.NodeFile, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return cluster.NodeFile{}, err
	}
	var node cluster.NodeFile
	if err := json.Unmarshal(content, &node); err != nil {
		return cluster.NodeFile{}, fmt.Errorf("read %s: %w", path, err)
	}
	return node, nil
}
