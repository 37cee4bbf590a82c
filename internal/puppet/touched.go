package puppet

import (
	"path"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// touched is all that we may change on a host, but for its packages: a kind and
// a name each.
//
//	tree       a path that is ours with all below it; with a package that it belongs
//	           to, it stays while that does, and all below it
//	file       a file or link, as tree
//	directory  one that we make, and whose mode we may change
//	remains    what daemons leave; where it is there before, it is left alone
//	made       a directory that we make where it is missing, and else leave alone
//	user       with the package that makes it, if one does
//	group      as user
//	unit       what we enable, disable, start and stop
//
// It holds what Puppet and Go write, and what stays when Debian's packages are
// purged. A new line is enough for a file to be recorded and restored.
const touched = `
tree /etc/sirikata-cluster
tree /usr/lib/sirikata-cluster
tree /usr/lib/ocf/resource.d/sirikata
directory /usr/lib/ocf
directory /usr/lib/ocf/resource.d
file /usr/sbin/fence_sirikata
directory /etc/corosync
file /etc/corosync/corosync.conf
file /etc/corosync/authkey
tree /var/lib/corosync
directory /etc/pacemaker
file /etc/pacemaker/authkey
tree /var/lib/pacemaker
remains /var/lib/heartbeat
file /etc/default/pacemaker
file /etc/systemd/system/cluster-candidates.service
file /etc/systemd/system/cluster-candidates.timer
file /etc/systemd/system/cluster-guard.service
file /etc/systemd/system/cluster-hosts.service
file /etc/systemd/system/cluster-network.service
directory /etc/systemd/system/corosync.service.d
file /etc/systemd/system/corosync.service.d/restart.conf
directory /etc/systemd/system/pacemaker.service.d
file /etc/systemd/system/pacemaker.service.d/restart.conf
directory /etc/systemd/system/pacemaker_remote.service.d
file /etc/systemd/system/pacemaker_remote.service.d/restart.conf
file /etc/systemd/system/pacemaker-remote.service
file /etc/systemd/system/multi-user.target.wants/corosync.service
file /etc/systemd/system/multi-user.target.wants/pacemaker.service
file /etc/systemd/system/multi-user.target.wants/pacemaker_remote.service
user hacluster pacemaker-common
group haclient pacemaker-common
unit corosync.service
unit pacemaker.service
unit pacemaker_remote.service
`

// touchedForSBD is touched as well on hosts that get sbd; that of others is their own.
const touchedForSBD = `
file /etc/default/sbd
directory /etc/systemd/system/corosync.service.requires
file /etc/systemd/system/corosync.service.requires/sbd.service
directory /etc/systemd/system/dlm.service.requires
file /etc/systemd/system/dlm.service.requires/sbd.service
file /etc/systemd/system/dlm.service.requires/sbd_remote.service
directory /etc/systemd/system/pacemaker.service.requires
file /etc/systemd/system/pacemaker.service.requires/sbd.service
directory /etc/systemd/system/pacemaker_remote.service.requires
file /etc/systemd/system/pacemaker_remote.service.requires/sbd_remote.service
unit sbd.service
unit sbd_remote.service
`

// touchedByPuppet is touched as well where Puppet is installed by us. Where it is
// not, these are the host's own, and change without us.
const touchedByPuppet = `
tree /etc/puppet puppet-agent
tree /var/lib/puppet puppet-agent
tree /var/cache/puppet puppet-agent
file /etc/systemd/system/multi-user.target.wants/puppet.service puppet-agent
user puppet puppet-agent
group puppet puppet-agent
`

// ownUser is the user that Puppet makes where it is missing; any other is the
// host's own (sirikata::node).
const ownUser = "sirikata"

// touchedFor is what we may change on one host, a line each.
func touchedFor(node cluster.NodeFile, sbd bool) string {
	lines := strings.TrimSpace(touched) + "\n"
	if sbd {
		lines += strings.TrimLeft(touchedForSBD, "\n")
	}
	directories := []string{node.SirikataPath, node.WorkingPath, node.WorkspacePath}
	if node.ServiceUser == ownUser {
		lines += "user " + ownUser + "\ngroup " + ownUser + "\n"
		directories = append(directories, "/home/"+ownUser)
	}
	var made []string
	for _, directory := range directories {
		for at := path.Clean(directory); path.Dir(at) != at; at = path.Dir(at) {
			made = append(made, "made "+at+"\n")
		}
	}
	slices.Sort(made)
	return lines + strings.Join(slices.Compact(made), "")
}
