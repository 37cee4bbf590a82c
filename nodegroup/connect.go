package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// machinesKey names the cache of the machines that the provider found last.
// Asking a provider takes longer than all else that a service command does.
const machinesKey = "machines"

// ErrNoNodes says that a cluster has no machines.
var ErrNoNodes = errors.New("it has no nodes yet")

func (g *NodeGroup) noNodes() error {
	return cluster.WithHint(fmt.Errorf("cluster %q: %w", g.spec.Name, ErrNoNodes),
		"boot it: sirikata-cluster %s nodes boot %s", g.spec.Type, g.spec.Name)
}

// connect connects to the cluster and returns its nodes, which may be down, and
// an engine on them.
func (g *NodeGroup) connect(ctx context.Context) ([]cluster.Node, engine.Engine, error) {
	nodes, err := g.join(ctx)
	if err != nil {
		return nil, nil, err
	}
	e, err := g.engines(g.spec, nodes, g.pool, g.env.progress)
	return nodes, e, err
}

// join makes a pool of the nodes and returns them. One of them answers, unless
// they are hosts of which each goes its own way.
func (g *NodeGroup) join(ctx context.Context) ([]cluster.Node, error) {
	if g.spec.Engine == cluster.Direct {
		machines, err := g.find(ctx)
		if err != nil {
			return nil, err
		}
		return g.toNodes(machines), g.openPool(machines)
	}
	var machines []provider.Machine
	cached, err := g.store.LoadCache(g.spec.Name, machinesKey, &machines)
	if err != nil {
		return nil, err
	}
	if !cached || len(machines) == 0 {
		if machines, err = g.find(ctx); err != nil {
			return nil, err
		}
	}
	if err = g.reach(ctx, machines); err != nil && cached && !errors.Is(err, remote.ErrAuth) {
		// The cache may be of machines that are no more.
		fresh, findErr := g.find(ctx)
		if findErr != nil {
			return nil, errors.Join(findErr, err)
		}
		if !reflect.DeepEqual(fresh, machines) {
			machines = fresh
			err = g.reach(ctx, machines)
		}
	}
	if errors.Is(err, remote.ErrAuth) && g.spec.Type != cluster.AdHoc {
		// A store that is new, or was lost, has a key that the nodes do not know.
		// One node that lets it in is enough.
		if machines, err = g.find(ctx); err == nil {
			refused := g.authorize(ctx, machines)
			if err = g.reach(ctx, machines); err != nil {
				err = errors.Join(err, refused)
			}
		}
	}
	if err != nil && g.spec.Type == cluster.AdHoc {
		return nil, fmt.Errorf("no node of cluster %q answers: %w", g.spec.Name, err)
	}
	if err != nil {
		return nil, cluster.WithHint(fmt.Errorf("no node of cluster %q answers: %w", g.spec.Name, err),
			"boot starts what is off: sirikata-cluster %s nodes boot %s", g.spec.Type, g.spec.Name)
	}
	return g.toNodes(machines), nil
}

// find asks the provider for the machines and remembers them. None is an error.
func (g *NodeGroup) find(ctx context.Context) ([]provider.Machine, error) {
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return nil, err
	}
	if len(machines) == 0 {
		return nil, g.noNodes()
	}
	if err := g.withAddresses(machines); err != nil {
		return nil, err
	}
	return machines, g.remember(machines)
}

// remember keeps the machines that the provider found last. A host key that was
// pinned for an earlier machine of the same name says nothing of a new one.
func (g *NodeGroup) remember(machines []provider.Machine) error {
	var before []provider.Machine
	if _, err := g.store.LoadCache(g.spec.Name, machinesKey, &before); err != nil {
		return err
	}
	if slices.Equal(before, machines) {
		return nil
	}
	for _, machine := range machines {
		replaced := slices.ContainsFunc(before, func(b provider.Machine) bool { return b.Name == machine.Name && b.ID != machine.ID })
		if !replaced {
			continue
		}
		if err := g.hostKeys().Forget(machine.Name); err != nil {
			return err
		}
	}
	return g.store.SaveCache(g.spec.Name, machinesKey, machines)
}

// reach opens a pool of connections in which one connection stands.
func (g *NodeGroup) reach(ctx context.Context, machines []provider.Machine) error {
	if err := g.openPool(machines); err != nil {
		return err
	}
	_, err := g.pool.Any(ctx, nil)
	return err
}

// openPool replaces the pool by one of the given machines.
func (g *NodeGroup) openPool(machines []provider.Machine) error {
	if err := g.Close(); err != nil {
		return err
	}
	hosts, err := g.hosts(machines)
	if err != nil {
		return err
	}
	g.pool = remote.NewPool(hosts, g.hostKeys())
	return nil
}

func (g *NodeGroup) hosts(machines []provider.Machine) ([]remote.Host, error) {
	hosts := make([]remote.Host, 0, len(machines))
	if g.spec.Type == cluster.AdHoc { // the user's keys let in, not one of ours
		for _, machine := range machines {
			hosts = append(hosts, g.ofHost(machine))
		}
		return hosts, nil
	}
	signer, _, _, err := g.store.Key(g.spec.Name)
	if err != nil {
		return nil, err
	}
	for _, machine := range machines {
		host, err := g.host(machine, signer)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}

func (g *NodeGroup) host(machine provider.Machine, signer ssh.Signer) (remote.Host, error) {
	host := remote.Host{Name: machine.Name, Addr: machine.Connect, User: g.spec.User(machine.Name), Keys: []ssh.Signer{signer}}
	if machine.HostKey == "" {
		return host, nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(machine.HostKey))
	if err != nil {
		return remote.Host{}, fmt.Errorf("read host key of %s: %w", machine.Name, err)
	}
	host.HostKey = key
	return host, nil
}

func (g *NodeGroup) hostKeys() *remote.HostKeys {
	return remote.NewHostKeys(g.spec.Name, g.store.KnownHostsFile(g.spec.Name), "")
}

// authorize lets our key in, on all machines that run.
func (g *NodeGroup) authorize(ctx context.Context, machines []provider.Machine) error {
	_, authorizedKey, _, err := g.store.Key(g.spec.Name)
	if err != nil {
		return err
	}
	return remote.Each(ctx, machines, 0, func(ctx context.Context, machine provider.Machine) error {
		if !machine.Running {
			return nil
		}
		if err := g.provider.Authorize(ctx, machine, authorizedKey); err != nil {
			return &cluster.NodeError{Node: machine.Name, Err: err}
		}
		return nil
	})
}

func (g *NodeGroup) toNodes(machines []provider.Machine) []cluster.Node {
	nodes := make([]cluster.Node, 0, len(machines))
	full := g.spec.Indexes()[:g.spec.WantedFull()] // of a new cluster
	for _, machine := range machines {
		role := cluster.Remote
		if slices.Contains(full, machine.Index) {
			role = cluster.Full
		}
		if g.spec.Engine == cluster.Direct {
			role = "" // there is nothing to vote on
		}
		node := cluster.Node{
			Index: machine.Index, Name: machine.Name, ID: machine.ID,
			Connect: machine.Connect, Address: machine.Address, FQDN: machine.FQDN,
			State: cluster.Offline, Role: role, Capabilities: []string{},
		}
		node.Capabilities = append(node.Capabilities, g.spec.Capabilities[machine.Name]...)
		nodes = append(nodes, node)
	}
	return nodes
}
