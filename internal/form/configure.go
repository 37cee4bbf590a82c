package form

import (
	"context"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/puppet"
)

// configure runs Puppet where its data changed.
func configure(ctx context.Context, f *Former, m *member) error {
	if err := leaveRole(ctx, f, m); err != nil {
		return err
	}
	data, err := f.data(m)
	if err != nil {
		return err
	}
	changed, err := puppet.Apply(ctx, m.client, data, f.Force)
	m.changed = m.changed || changed
	return err
}

// data is what Puppet renders on one node.
func (f *Former) data(m *member) (puppet.Data, error) {
	token, err := f.Spec.TokenProfile.Token()
	if err != nil {
		return puppet.Data{}, err
	}
	first, err := cib.First()
	if err != nil {
		return puppet.Data{}, err
	}
	if f.lived && !m.found.cib {
		// A node that joins takes the cluster's configuration, never brings one.
		first = ""
	}
	data := puppet.Data{
		Node:      f.nodeFile(m),
		RemoteKey: f.remoteKey,
		// With fencing the whole node goes.
		Guard: f.Fence == nil,
	}
	if f.Fence != nil {
		data.FenceSecret = f.Fence.Secret
	}
	data.Watchdog, _ = f.watchdog(m)
	data.WatchdogWait = f.Spec.WatchdogWait()
	for _, node := range f.Nodes {
		data.Hosts = append(data.Hosts, puppet.Host{Name: node.Name, Address: node.Address})
	}
	if m.role == cluster.Full {
		data.FirstCIB = first
		for _, node := range f.Nodes {
			data.Offers = append(data.Offers, cluster.NodeOffer{Name: node.Name, Capabilities: node.Capabilities})
		}
		data.Corosync = puppet.Corosync{
			TokenMilliseconds: int(token.Milliseconds()), AuthKey: f.authKey,
			TwoNode: len(f.full) == 2, Realtime: !f.oneMachine(), Members: f.members(),
		}
	}
	return data, nil
}

// nodeFile is what one node knows of itself.
func (f *Former) nodeFile(m *member) cluster.NodeFile {
	paths := f.Spec.Paths(m.node.Name)
	return cluster.NodeFile{
		Cluster: f.Spec.Name, Name: m.node.Name, Role: m.role, FQDN: m.node.FQDN,
		ServiceUser: f.Spec.ServiceUserOn(m.node.Name), WorkingPath: paths.Working,
		WorkspacePath: paths.Workspace, SirikataPath: paths.Sirikata,
		Capabilities: m.node.Capabilities,
	}
}

func (f *Former) members() []puppet.Member {
	var members []puppet.Member
	for _, node := range f.Nodes {
		if f.full.role(node.Name) == cluster.Full {
			members = append(members, puppet.Member{ID: nodeID(node), Name: node.Name, Address: node.Address})
		}
	}
	return members
}

// nodeID is Corosync's number of a node: stable for the life of the node, and never
// 0.
func nodeID(node cluster.Node) int { return node.Index + 1 }

// reloadCorosync makes running nodes read a corosync.conf that Puppet changed.
// One call reloads it on every node (corosync-cfgtool(8), -R), so it comes
// after all nodes have the new file.
func reloadCorosync(ctx context.Context, f *Former, members []*member) error {
	full := withRole(members, cluster.Full)
	if err := f.run(ctx, step{each: lookAgain}, full); err != nil {
		return err
	}
	// One that was killed between Puppet and the reload leaves no other trace.
	stale := f.Force
	var running *member
	for _, m := range full {
		if m.found.corosync {
			running = m
			stale = stale || m.stale
		}
	}
	if !stale || running == nil {
		return nil
	}
	running.changed = true
	_, err := running.client.Output(ctx, "corosync-cfgtool", "-R")
	return err
}

// lookAgain finds out whether Puppet changed corosync.conf. A node that was just
// powered on may have started Corosync meanwhile, with the file of before.
func lookAgain(ctx context.Context, _ *Former, m *member) error {
	out, err := m.client.Output(ctx, "sh", "-c", inspectScript)
	if err != nil {
		return err
	}
	now := parseFacts(out)
	m.stale = now.conf != m.found.conf
	m.found.conf, m.found.corosync = now.conf, now.corosync
	return nil
}
