package form

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// settle decides, from what is on the nodes, what they all get.
func settle(ctx context.Context, f *Former, members []*member) error {
	if err := refuseForeign(f, members); err != nil {
		return err
	}
	for _, m := range members {
		f.lived = f.lived || m.found.lived
	}
	if err := f.sameIDs(members); err != nil {
		return err
	}
	f.rounds = f.planRounds(members)
	if err := f.haveAgents(members); err != nil {
		return err
	}
	if err := f.run(ctx, step{each: haveWatchdog}, members); err != nil {
		return err
	}
	return adoptKeys(f, members)
}

// owns reports whether the node belongs to the cluster. Its corosync.conf may have
// been damaged, or edited by hand; then Puppet's word stands. On hosts that the user
// has it alone counts: another cluster there may well have the same name.
func (f *Former) owns(found facts) bool {
	return found.owner == f.Spec.Name || found.owner == "" && !f.Prepare && found.cluster == f.Spec.Name
}

// debianCluster is the name in the corosync.conf that Debian's package brings.
const debianCluster = "debian"

// refuseForeign stops before a host that belongs to another cluster is taken
// over: its services would be lost.
func refuseForeign(f *Former, members []*member) error {
	for _, m := range members {
		if err := f.foreign(m.found); err != nil {
			return &cluster.NodeError{Node: m.node.Name, Err: err}
		}
	}
	return nil
}

// foreign says whose a node is that is not ours; nil for one that is nobody's.
func (f *Former) foreign(found facts) error {
	name := found.cluster
	switch {
	case f.owns(found):
		return nil
	case found.owner != "":
		return cluster.WithHint(fmt.Errorf("it is a node of another cluster, %q", found.owner),
			"take it out of that cluster first: sirikata-cluster remove node %s NODE, or nodes terminate", found.owner)
	case f.Prepare && (found.runs() || found.pacemaker):
		return cluster.WithHint(errors.New("it runs Corosync or Pacemaker for a cluster that was not made by sirikata-cluster"),
			"take it out of that cluster first, with the tool that made it, and stop the daemons")
	case found.lived || name != "" && name != debianCluster:
		return cluster.WithHint(
			fmt.Errorf("it belongs to another cluster, %s (%s, %s)", quoted(name), corosyncConf, cibFile),
			"take it out of that cluster first: remove %s and %s", corosyncConf, cibFile)
	}
	return nil
}

// sameIDs refuses a spec in which a node has another index than the cluster knows
// it by. Corosync must never see one number on two nodes (corosync.conf(5), nodeid).
func (f *Former) sameIDs(members []*member) error {
	for _, m := range members {
		if !f.owns(m.found) {
			continue
		}
		for _, listed := range m.found.ids {
			name, id, _ := strings.Cut(listed, ":")
			for _, node := range f.Nodes {
				if is := nodeID(node); node.Name == name && id != strconv.Itoa(is) {
					return cluster.WithHint(fmt.Errorf("%s is number %s in the cluster, and %d by this spec", name, id, is),
						"name the hosts in the order in which the cluster was created, or get the spec of who created it")
				}
			}
		}
	}
	return nil
}

// adoptKeys takes over the keys of Corosync and of Pacemaker's remote nodes, so
// that an operator who has never seen this cluster does not break it.
func adoptKeys(f *Former, members []*member) (err error) {
	if f.authKey, err = f.adoptKey(members, func(m *member) []byte { return m.found.authKey }); err != nil {
		return err
	}
	f.remoteKey, err = f.adoptKey(members, func(m *member) []byte { return m.found.remoteKey })
	return err
}

// adoptKey returns the key of the nodes that have one, of those that run first.
// A cluster without a key gets a new one.
func (f *Former) adoptKey(members []*member, of func(*member) []byte) ([]byte, error) {
	for _, wanted := range []bool{true, false} {
		for _, m := range members {
			if f.owns(m.found) && m.found.runs() == wanted && len(of(m)) == authKeySize {
				return of(m), nil
			}
		}
	}
	key := make([]byte, authKeySize)
	_, err := rand.Read(key)
	return key, err
}

// authKeySize is what corosync-keygen(8) writes, in bytes.
const authKeySize = 256

func quoted(name string) string {
	if name == "" {
		return "without a name"
	}
	return strconv.Quote(name)
}
