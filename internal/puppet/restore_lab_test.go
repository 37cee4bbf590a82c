//go:build lab

package puppet

import (
	"context"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// plainScript makes a host that was never a node out of the image's, with the
// packages that a node needs in an archive of its own.
const plainScript = `
set -eu
export DEBIAN_FRONTEND=noninteractive
systemctl stop pacemaker pacemaker_remote corosync 2>/dev/null || true
apt-get -qq update
mkdir /var/cache/archive
cd /var/cache/archive
removal="purge --yes --autoremove corosync pacemaker* puppet-agent"
apt-get -qq -o APT::Sandbox::User=root download pacemaker pacemaker-remote \
	$(apt-get --simulate $removal | sed -n 's/^Purg \([^ ]*\).*/\1/p')
for package in *.deb; do
	dpkg-deb --field "$package"
	printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$package" "$(stat -c %s "$package")" "$(sha256sum <"$package" | cut -d' ' -f1)"
done >Packages
cd / && apt-get -qq $removal
rm -rf /usr/share/sirikata-cluster /var/lib/pacemaker /etc/corosync /etc/pacemaker /etc/puppet /var/lib/puppet /var/cache/puppet
userdel -r sirikata
for account in hacluster puppet; do
	dpkg-statoverride --list | while read -r user _ _ path; do
		if [ "$user" = "$account" ]; then dpkg-statoverride --remove "$path"; fi
	done
	if getent passwd "$account"; then userdel "$account"; fi
done
if getent group haclient; then groupdel haclient; fi
echo 'deb [trusted=yes] file:/var/cache/archive ./' >/etc/apt/sources.list
apt-get -qq update
systemctl daemon-reload
systemctl reset-failed
`

// hostData is for a host with nothing of ours but the archive. Another node is in
// its network.
func hostData(t *testing.T, host *remote.Client, role cluster.Role) Data {
	t.Helper()
	data := testData()
	data.Hosts = append(data.Hosts, Host{Name: "node1", Address: output(t, host, "hostname -I | cut -d' ' -f1")})
	data.Node.Role = role
	data.Node.SirikataPath = "/srv/of/sirikata"
	return data
}

// prepared prepares a host and configures it.
func prepared(t *testing.T, host *remote.Client, data Data) {
	t.Helper()
	if err := Prepare(t.Context(), host, data.Node, false); err != nil {
		t.Fatalf("%v\n%s", err, stderr(err))
	}
	// As package form does it.
	if err := host.WriteFile(t.Context(), cluster.NodeProgramPath, 0o755, strings.NewReader("#!/bin/sh\nsleep 1000\n")); err != nil {
		t.Fatal(err)
	}
	mustApply(t, host, string(data.Node.Role), data, false, true)
}

// restored restores a host and returns what was left.
func restored(t *testing.T, host runner) []string {
	t.Helper()
	left, err := restore(t.Context(), host, stateDirectory, "world")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr(err))
	}
	return left
}

// nothing is left.
func nothing(t *testing.T, left []string) {
	t.Helper()
	if len(left) > 0 {
		t.Errorf("left: %s", strings.Join(left, "\n"))
	}
}

// killed is a host on which the shell of a restore is killed after a step.
type killed struct {
	*remote.Client
	after string
}

func (k killed) Run(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	at := strings.LastIndex(cmd.Argv[2], "\n"+k.after+"\n")
	rest := at + len(k.after) + 2
	cmd.Argv[2] = cmd.Argv[2][:rest] + "kill -KILL $$\n" + cmd.Argv[2][rest:]
	return k.Client.Run(ctx, cmd)
}

// TestLabRestore prepares, configures and restores a host that was no node before,
// again and again: each time it is what it was.
func TestLabRestore(t *testing.T) {
	host := labNode(t)
	output(t, host, plainScript)
	was := fingerprint(t, host)

	// What one leaves behind would spoil the next.
	run := func(name string, test func(*testing.T)) {
		if !t.Failed() {
			t.Run(name, test)
		}
	}
	run("not prepared", func(t *testing.T) {
		if left := restored(t, host); len(left) != 1 || !strings.Contains(left[0], "not configured by sirikata-cluster") {
			t.Errorf("left: %q", left)
		}
		same(t, host, was)
	})
	run("refused", func(t *testing.T) {
		for _, missing := range []struct{ path, why string }{
			{"/usr/bin/apt-get", "no Debian"}, {"/run/systemd/system", "systemd"},
		} {
			output(t, host, "mv "+missing.path+" "+missing.path+".away")
			err := Prepare(t.Context(), host, hostData(t, host, cluster.Full).Node, false)
			output(t, host, "mv "+missing.path+".away "+missing.path)
			if err == nil || !strings.Contains(err.Error(), "prepare node0: ") || !strings.Contains(err.Error(), missing.why) ||
				!strings.Contains(cluster.HintOf(err), "Pacemaker 2.1") {
				t.Errorf("without %s: %v", missing.path, err)
			}
		}
		same(t, host, was)
	})
	run("both roles", func(t *testing.T) {
		prepared(t, host, hostData(t, host, cluster.Full))
		if puppet := output(t, host, "systemctl is-enabled puppet; systemctl is-active puppet || true"); puppet != "disabled\ninactive" {
			t.Errorf("Puppet's own service: %s", puppet)
		}
		output(t, host, "systemctl start corosync pacemaker; timeout 60 sh -c 'until crm_mon --one-shot; do sleep 0.1; done'")
		other := hostData(t, host, cluster.Full).Node
		other.Cluster = "moon"
		if err := Prepare(t.Context(), host, other, false); err == nil || !strings.Contains(err.Error(), `it belongs to cluster "world"`) {
			t.Errorf("taken by another cluster: %v", err)
		}
		if _, err := Restore(t.Context(), host, "moon"); err == nil || !strings.Contains(err.Error(), `it belongs to cluster "world"`) {
			t.Errorf("restored for another cluster: %v", err)
		}
		if active := output(t, host, "systemctl is-active pacemaker"); active != "active" {
			t.Errorf("Pacemaker is %s", active)
		}
		output(t, host, "systemctl stop pacemaker corosync")
		prepared(t, host, hostData(t, host, cluster.Remote))
		output(t, host, "systemctl start pacemaker_remote")
		contains(t, output(t, host, "ip route; cat /etc/hosts"), "quickack 1", "node1 # sirikata-cluster")
		nothing(t, restored(t, host))
		same(t, host, was)
	})
	run("killed", func(t *testing.T) { labKilled(t, host, was) })
	run("needed", func(t *testing.T) { labNeeded(t, host, was) })
	run("Puppet in use", func(t *testing.T) { labPuppetInUse(t, host, was) })
	run("own files", func(t *testing.T) { labOwnFiles(t, host) })
	run("stranger", func(t *testing.T) { labStranger(t, host) })
}

// labKilled kills a restore between its steps, and dpkg in the midst of a package.
func labKilled(t *testing.T, host *remote.Client, was map[string]bool) {
	prepared(t, host, hostData(t, host, cluster.Full))
	output(t, host, "systemctl start corosync pacemaker")
	cut := func(host runner, where string) {
		if _, err := restore(t.Context(), host, stateDirectory, "world"); err == nil {
			t.Fatalf("not killed: %s", where)
		}
	}
	for _, step := range []string{"halt", "undo"} {
		cut(killed{host, step}, step)
	}
	const script = "/var/lib/dpkg/info/pacemaker.prerm"
	output(t, host, "cp -p "+script+" /root/prerm; printf '#!/bin/sh\nkill -KILL $PPID\n' >"+script)
	cut(host, "dpkg")
	output(t, host, "mv /root/prerm "+script)
	for _, step := range []string{`purge "$state"`, "files\naccounts", "units", "directories", `mv "$before" "$state/gone"`} {
		cut(killed{host, step}, step)
	}
	nothing(t, restored(t, host))
	same(t, host, was)
}

// labNeeded has the user install a package that needs some of ours, and put a file
// in a directory of ours.
func labNeeded(t *testing.T, host *remote.Client, was map[string]bool) {
	prepared(t, host, hostData(t, host, cluster.Full))
	output(t, host, `set -eu
mkdir -p /tmp/mine/DEBIAN
printf '%s\n' 'Package: mine' 'Version: 1' 'Architecture: all' 'Maintainer: me <me@example.org>' \
	'Depends: corosync' 'Description: mine' >/tmp/mine/DEBIAN/control
dpkg-deb --build /tmp/mine /tmp/mine.deb >&2
dpkg --install /tmp/mine.deb >&2
touch /srv/of/sirikata/mine`)
	left := restored(t, host)
	if len(left) != 2 || !strings.HasPrefix(left[0], "packages corosync ") || !strings.HasSuffix(left[0], ": needed by mine") ||
		strings.Contains(left[0], "pacemaker") || left[1] != "/srv/of/sirikata: it is not empty" {
		t.Errorf("left: %q", left)
	}
	if found := output(t, host, "dpkg-query -W -f '${db:Status-Abbrev} ' mine corosync; systemctl is-enabled corosync || true"); found != "ii  ii  disabled" {
		t.Errorf("what mine needs: %q", found)
	}
	kept, _, _ := strings.Cut(strings.TrimPrefix(left[0], "packages "), ":")
	output(t, host, "rm -rf /srv/of /tmp/mine*; apt-get -qq purge --yes mine "+kept)
	same(t, host, was)
}

// labOwnFiles prepares a host that has files where we write, Puppet, and a Pacemaker
// that has to go for the role of the node.
func labOwnFiles(t *testing.T, host *remote.Client) {
	output(t, host, `set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir -m 0700 /etc/corosync
echo '# mine' >/etc/corosync/corosync.conf
chown daemon:games /etc/corosync/corosync.conf
chmod 0604 /etc/corosync/corosync.conf
echo PCMK_debug=yes >/etc/default/pacemaker
apt-get -qq install --yes --no-install-recommends -o Dpkg::Options::=--force-confold puppet-agent pacemaker >&2
systemctl stop pacemaker
systemctl disable --quiet corosync
systemctl enable --quiet puppet
useradd --create-home sirikata
mkdir -p /srv/of/sirikata
echo mine >/etc/puppet/mine`)
	was := fingerprint(t, host)
	prepared(t, host, hostData(t, host, cluster.Remote))
	nothing(t, restored(t, host))
	same(t, host, was)
}
