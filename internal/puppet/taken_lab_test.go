//go:build lab

package puppet

import (
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// labPuppetInUse has the user put the host under a master of Puppet.
func labPuppetInUse(t *testing.T, host *remote.Client, was map[string]bool) {
	prepared(t, host, hostData(t, host, cluster.Full))
	output(t, host, `set -eu
mkdir -p /var/lib/puppet/ssl/certs
echo mine >/var/lib/puppet/ssl/certs/mine.pem
echo '# mine' >>/etc/puppet/puppet.conf
systemctl enable --quiet puppet`)
	left := restored(t, host)
	if len(left) < 3 || !strings.HasPrefix(left[0], "packages ") || !strings.Contains(left[0], " puppet-agent ") ||
		!strings.HasSuffix(left[0], ": Puppet is used by somebody else: puppet.service is enabled") ||
		left[1] != "/etc/puppet: it belongs to package puppet-agent, which stays" {
		t.Errorf("left: %q", left)
	}
	if found := output(t, host, "cat /var/lib/puppet/ssl/certs/mine.pem; tail -n 1 /etc/puppet/puppet.conf; systemctl is-enabled puppet; puppet apply -e 'notice(1)' >&2; "+
		"dpkg-query -W -f '${binary:Package}' corosync pacemaker 2>&1 | grep -c 'no packages found'"); found != "mine\n# mine\nenabled\n2" {
		t.Errorf("what is the user's: %q", found)
	}
	kept, _, _ := strings.Cut(strings.TrimPrefix(left[0], "packages "), ":")
	output(t, host, "apt-get -qq purge --yes "+kept+`; rm -rf /etc/puppet /var/lib/puppet /var/cache/puppet /root/.puppet* /root/.facter*
dpkg-statoverride --list | while read -r user _ _ path; do
	if [ "$user" = puppet ]; then dpkg-statoverride --remove "$path"; fi
done
if getent passwd puppet; then userdel puppet; fi`)
	same(t, host, was)
}

// labStranger has a host that runs a cluster of the same name, which somebody else
// made. Its Pacemaker is that of labOwnFiles.
func labStranger(t *testing.T, host *remote.Client) {
	output(t, host, `set -eu
cat >/etc/corosync/corosync.conf <<END
totem {
	version: 2
	cluster_name: world
}
nodelist {
	node {
		name: node0
		nodeid: 1
		ring0_addr: $(hostname -I | cut -d' ' -f1)
	}
}
quorum {
	provider: corosync_votequorum
}
END
systemctl start corosync`)
	for _, how := range []struct{ line, why string }{
		{"true", "it runs Corosync for a cluster"},
		{"systemctl stop corosync; systemctl enable --quiet corosync", "it has enabled Corosync for a cluster"},
	} {
		output(t, host, how.line)
		if err := Prepare(t.Context(), host, hostData(t, host, cluster.Full).Node, false); err == nil || !strings.Contains(err.Error(), how.why) {
			t.Errorf("%s: %v", how.line, err)
		}
	}
	output(t, host, "test ! -e "+stateDirectory)
}
