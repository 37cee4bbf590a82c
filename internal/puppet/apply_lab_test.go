//go:build lab

package puppet

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// mustApply applies and logs how long it took.
func mustApply(t *testing.T, node *remote.Client, what string, data Data, force, wantChanged bool) {
	t.Helper()
	start := time.Now()
	changed, err := Apply(t.Context(), node, data, force)
	t.Logf("%s: %.2fs", what, time.Since(start).Seconds())
	if err != nil {
		var failed *Error
		if errors.As(err, &failed) {
			t.Fatalf("%s: %v\n%s", what, err, failed.Exit.Stderr)
		}
		t.Fatalf("%s: %v", what, err)
	}
	if changed != wantChanged {
		t.Fatalf("%s: changed = %v, want %v", what, changed, wantChanged)
	}
}

// TestLabApply configures a real host with real Puppet.
func TestLabApply(t *testing.T) {
	node := labNode(t)
	// The image's packages started it, with Debian's example.
	output(t, node, "systemctl stop pacemaker corosync; rm -rf /var/lib/pacemaker/cib/* /etc/corosync")
	data := testData()
	mustApply(t, node, "first", data, false, true)
	checkFiles(t, node, data)
	mustApply(t, node, "unchanged", data, false, false)
	mustApply(t, node, "unchanged, forced", data, true, false)
	checkDaemons(t, node, data)

	// What is there is not taken over; what rewrites /etc/hosts at a start does
	// not last.
	output(t, node, "chmod 0711 /srv; chown daemon: /srv; sed -i '/sirikata-cluster/d' /etc/hosts || "+
		"{ grep -v sirikata-cluster /etc/hosts >/root/hosts; cat /root/hosts >/etc/hosts; }; systemctl start cluster-hosts")
	data.Node.WorkspacePath = "/srv"
	mustApply(t, node, "existing path", data, false, true)
	if srv := output(t, node, "stat -c '%a %U' /srv"); srv != "711 daemon" {
		t.Errorf("/srv was taken over: %s", srv)
	}
	if hosts := output(t, node, "cat /etc/hosts"); strings.Count(hosts, "sirikata-cluster") != 1 || !strings.Contains(hosts, "ip6-localhost") {
		t.Errorf("/etc/hosts:\n%s", hosts)
	}
}

// checkDaemons starts what Puppet configured: first alone, then as one of two.
func checkDaemons(t *testing.T, node *remote.Client, data Data) {
	t.Helper()
	if active := output(t, node, "systemctl is-active corosync pacemaker || true"); active != "inactive\ninactive" {
		t.Errorf("Puppet started the cluster: %s", active)
	}
	output(t, node, "systemctl start corosync pacemaker")
	contains(t, output(t, node, "corosync-quorumtool -s; corosync-cmapctl"),
		"Quorate:          Yes", "totem.crypto_cipher (str) = aes256", "totem.transport (str) = knet",
		"runtime.config.totem.token (u32) = 1000", "nodelist.node.0.name (str) = node0")

	pid := output(t, node, "pidof corosync")
	second := withSecondNode(data)
	second.Corosync.Realtime = false
	mustApply(t, node, "second node", second, false, true)
	if now := output(t, node, "pidof corosync"); now != pid {
		t.Error("Puppet restarted Corosync")
	}
	conf, err := node.Output(t.Context(), "cat", "/etc/corosync/corosync.conf")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "corosync-two-nodes.conf", conf)
	if hosts := output(t, node, "getent hosts node1"); !strings.HasPrefix(hosts, "192.0.2.1 ") {
		t.Errorf("node1 resolves to %q", hosts)
	}
	// A running node takes the second one in; of two that start, one alone waits
	// for the other (votequorum(5), wait_for_all).
	output(t, node, "corosync-cfgtool -R")
	contains(t, output(t, node, "corosync-quorumtool -s || true"), "Expected votes:   2", "2Node Quorate")
	output(t, node, "systemctl stop pacemaker corosync; systemctl start corosync; "+
		"timeout 20 sh -c 'until corosync-cfgtool -s && { corosync-quorumtool -s || true; } | grep \"^Ring ID: *1[.]\"; do sleep 0.1; done'")
	contains(t, output(t, node, "corosync-quorumtool -s || true"), "Quorate:          No", "2Node WaitForAll")
	if priority := strings.Fields(output(t, node, "ps -o cls=,ni= -C corosync")); !slices.Equal(priority, []string{"TS", "-20"}) {
		t.Errorf("Corosync without real-time priority has %q", priority)
	}
	output(t, node, "systemctl stop corosync")
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func checkFiles(t *testing.T, node *remote.Client, data Data) {
	t.Helper()
	var got cluster.NodeFile
	if err := json.Unmarshal([]byte(output(t, node, "cat "+cluster.NodeFilePath)), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, data.Node) {
		t.Errorf("node file: %+v, want %+v", got, data.Node)
	}
	key, err := node.Output(t.Context(), "cat", "/etc/corosync/authkey")
	if err != nil || string(key) != string(data.Corosync.AuthKey) {
		t.Errorf("authkey has %d bytes, not those given (%v)", len(key), err)
	}
	cib, err := node.Output(t.Context(), "cat", "/var/lib/pacemaker/cib/cib.xml")
	if err != nil || string(cib) != data.FirstCIB {
		t.Errorf("cib.xml is %q (%v)", cib, err)
	}
	want := `400 root:root /etc/corosync/authkey
600 hacluster:haclient /var/lib/pacemaker/cib/cib.xml
644 root:root /etc/corosync/corosync.conf
700 root:root /var/lib/sirikata-cluster/puppet
750 hacluster:haclient /var/lib/pacemaker/cib
755 root:root /etc/corosync
755 sirikata:sirikata ` + data.Node.SirikataPath + `
755 sirikata:sirikata ` + data.Node.WorkingPath
	modes := output(t, node, "stat -c '%a %U:%G %n' /etc/corosync /etc/corosync/corosync.conf /etc/corosync/authkey "+
		"/var/lib/pacemaker/cib /var/lib/pacemaker/cib/cib.xml /var/lib/sirikata-cluster/puppet "+
		data.Node.SirikataPath+" "+data.Node.WorkingPath+" | sort")
	if modes != want {
		t.Errorf("modes:\n%s\nwant:\n%s", modes, want)
	}
	if link := output(t, node, "readlink /usr/lib/ocf/resource.d/sirikata/service"); link != cluster.NodeProgramPath {
		t.Errorf("the agent is a link to %q", link)
	}
	if _, err := node.Output(t.Context(), "test", "-d", data.Node.WorkspacePath); err != nil {
		t.Errorf("workspace: %v", err)
	}
	if enabled := output(t, node, "systemctl is-enabled corosync pacemaker cluster-hosts cluster-guard"); enabled != "enabled\nenabled\nenabled\nenabled" {
		t.Errorf("units: %s", enabled)
	}
	// They are loaded on any node that runs: what Puppet wrote must count there.
	if restart := output(t, node, "systemctl show --property=Restart,NeedDaemonReload corosync pacemaker"); restart !=
		"Restart=always\nNeedDaemonReload=no\n\nRestart=always\nNeedDaemonReload=no" {
		t.Errorf("units are started again: %s", restart)
	}
}

// TestLabInstall configures a host that lacks the cluster's packages. It loads
// them from Debian.
func TestLabInstall(t *testing.T) {
	node := labNode(t)
	output(t, node, "apt-get -qq purge --yes --autoremove corosync 'pacemaker*' >&2; rm -rf /var/lib/pacemaker /etc/corosync /var/lib/apt/lists/*")
	purged := output(t, node, "date +%s")
	data := testData()
	mustApply(t, node, "with packages", data, false, true)
	checkFiles(t, node, data)
	mustApply(t, node, "again, forced", data, true, false)
	if masks := output(t, node, "ls /run/systemd/system"); strings.Contains(masks, "pacemaker") {
		t.Errorf("units are still masked: %s", masks)
	}
	if log := output(t, node, "journalctl --quiet --no-pager --since=@"+purged+" -u corosync -u pacemaker"); log != "" {
		t.Errorf("Debian started the cluster:\n%s", log)
	}
	output(t, node, "systemctl start corosync pacemaker")
}
