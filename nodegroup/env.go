package nodegroup

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Env is what clusters need of the operator's machine.
type Env struct {
	// Home is the directory in which specs and keys are remembered.
	Home string
	// Agent is the socket of the SSH agent whose keys log in to hosts that the
	// user has; empty if there is none.
	Agent string
	// SudoPassword is what sudo asks the users for who log in to the hosts of a
	// cluster for which [UsesSudo] holds; empty if nobody was asked for it. It is
	// kept nowhere, and reaches sudo by standard input alone.
	SudoPassword string
	// Progress gets one line for each step of long work, from one goroutine at
	// a time. It may be nil.
	Progress func(string)
}

// FromEnv reads the environment: SIRIKATA_CLUSTER_HOME, or else
// ~/.sirikata-cluster, is the home, and SSH_AUTH_SOCK the agent.
func FromEnv() (Env, error) {
	agent := os.Getenv("SSH_AUTH_SOCK")
	if home := os.Getenv("SIRIKATA_CLUSTER_HOME"); home != "" {
		return Env{Home: home, Agent: agent}, nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return Env{}, cluster.WithHint(fmt.Errorf("find the home directory: %w", err),
			"set SIRIKATA_CLUSTER_HOME to a directory of yours")
	}
	return Env{Home: filepath.Join(user, ".sirikata-cluster"), Agent: agent}, nil
}

func (e Env) progress(line string) {
	if e.Progress != nil {
		e.Progress(line)
	}
}
