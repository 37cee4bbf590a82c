package nodegroup

import (
	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/store"
)

// NodeGroup is one cluster. It is not safe for use by several goroutines; any
// number of NodeGroups of one cluster may be, in any number of processes.
type NodeGroup struct {
	env      Env
	spec     cluster.Spec
	store    *store.Store
	provider provider.Provider
	pool     *remote.Pool // nil until a node is needed
	openSSH  *remote.OpenSSH
	sudo     *remote.Sudo // of all hosts and pools: it remembers refusals
	engines  engines
}

// Create remembers the spec of a new cluster; no node is allocated yet.
// created is false if the very same spec was there already. Errors: a spec that
// is not valid (*cluster.InvalidError), or a name taken by another spec.
func Create(env Env, spec cluster.Spec) (created bool, err error) {
	if err := supported(spec); err != nil {
		return false, err
	}
	return store.Open(env.Home).Create(spec)
}

// List returns the specs of all clusters by name. Those that cannot be read are
// reported in the error, which then comes beside the others.
func List(env Env) ([]cluster.Spec, error) { return store.Open(env.Home).List() }

// ReadSpec returns the spec of the cluster with that name, which Create has
// remembered, or else a *cluster.NotFoundError.
func ReadSpec(env Env, name string) (cluster.Spec, error) { return store.Open(env.Home).Spec(name) }

// Open returns the cluster with that name, which Create has remembered, or else
// a *cluster.NotFoundError. It contacts no node.
func Open(env Env, name string) (*NodeGroup, error) {
	s := store.Open(env.Home)
	spec, err := s.Spec(name)
	if err != nil {
		return nil, err
	}
	p, err := providerOf(spec.Type)
	if err != nil {
		return nil, err
	}
	return &NodeGroup{env: env, spec: spec, store: s, provider: p, engines: engineOf,
		openSSH: &remote.OpenSSH{Agent: env.Agent}, sudo: &remote.Sudo{Password: env.SudoPassword}}, nil
}

// Close ends the connections to the nodes.
func (g *NodeGroup) Close() error {
	if g.pool == nil {
		return nil
	}
	return g.pool.Close()
}

// Spec is what was asked for when the cluster was created.
func (g *NodeGroup) Spec() cluster.Spec { return g.spec }

// SirikataPath is where releases are on every node.
func (g *NodeGroup) SirikataPath() string { return g.spec.SirikataPath }
