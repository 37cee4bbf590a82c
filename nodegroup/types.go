package nodegroup

import (
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/engine/pacemaker"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/provider/local"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// This file is the only one that names the concrete providers and engines.

// Types are the types of clusters that this program can manage.
func Types() []cluster.Type { return []cluster.Type{cluster.Local} }

func providerOf(t cluster.Type) (provider.Provider, error) {
	if t == cluster.Local {
		return local.New(local.Options{}), nil
	}
	return nil, fmt.Errorf("clusters of type %q are not supported by this version", t)
}

func engineOf(spec cluster.Spec, nodes []cluster.Node, pool *remote.Pool, progress func(string)) (engine.Engine, error) {
	if spec.Engine == cluster.Pacemaker {
		return pacemaker.New(spec, nodes, pool, progress), nil
	}
	return nil, fmt.Errorf("the engine %q is not supported by this version", spec.Engine)
}

// LocalSpec is the spec of a cluster of containers on this machine, which fence
// each other.
func LocalSpec(name string, size int, profile cluster.TokenProfile) cluster.Spec {
	return cluster.Spec{
		Name: name, Type: cluster.Local, Engine: cluster.Pacemaker, Size: size, TokenProfile: profile, Fencing: true,
		LoginUser: "root", ServiceUser: "sirikata",
		SirikataPath: "/home/sirikata/sirikata", WorkingPath: "/home/sirikata", WorkspacePath: "/home/sirikata",
	}
}
