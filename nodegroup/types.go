package nodegroup

import (
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/engine/direct"
	"github.com/sirikata/sirikata-cluster/internal/engine/pacemaker"
	"github.com/sirikata/sirikata-cluster/internal/programs"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/provider/adhoc"
	"github.com/sirikata/sirikata-cluster/internal/provider/local"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// This file is the only one that names the concrete providers and engines.

// Types are the types of clusters that this program can manage.
func Types() []cluster.Type { return []cluster.Type{cluster.Local, cluster.AdHoc} }

func providerOf(t cluster.Type) (provider.Provider, error) {
	switch t {
	case cluster.Local:
		return local.New(local.Options{}), nil
	case cluster.AdHoc:
		return adhoc.New(), nil
	case cluster.EC2:
	}
	return nil, fmt.Errorf("clusters of type %q are not supported by this version", t)
}

// supported refuses specs that no provider and engine here can serve.
func supported(spec cluster.Spec) error {
	_, err := providerOf(spec.Type)
	return err
}

// engines make the engine of a cluster.
type engines func(spec cluster.Spec, nodes []cluster.Node, pool *remote.Pool, progress func(string)) (engine.Engine, error)

func engineOf(spec cluster.Spec, nodes []cluster.Node, pool *remote.Pool, progress func(string)) (engine.Engine, error) {
	switch spec.Engine {
	case cluster.Pacemaker:
		return pacemaker.New(spec, nodes, pool.Root(), progress), nil
	case cluster.Direct:
		return direct.New(spec, nodes, pool, programs.Node, progress), nil
	}
	return nil, fmt.Errorf("the engine %q is not supported by this version", spec.Engine)
}

// localFull is the number of full nodes of a large cluster on one machine: all of
// them are lost together, and each one more takes its share of the same cores.
const localFull = 3

// LocalSpec is the spec of a cluster of containers on this machine, which fence
// each other.
func LocalSpec(name string, size int, profile cluster.TokenProfile) cluster.Spec {
	spec := cluster.Spec{
		Name: name, Type: cluster.Local, Engine: cluster.Pacemaker, Size: size, TokenProfile: profile, Fencing: true,
		LoginUser: "root", ServiceUser: "sirikata",
		SirikataPath: "/home/sirikata/sirikata", WorkingPath: "/home/sirikata", WorkspacePath: "/home/sirikata",
	}
	if size > cluster.MaxFull {
		spec.FullNodes = localFull
	}
	return spec
}
