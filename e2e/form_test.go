//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// status is what we read of status -o json.
type status struct {
	Quorate bool
	Nodes   []struct {
		Index                      int
		Name, ID, Connect, Address string
		State, Role                string
		Capabilities               []string
	}
	Services []serviceStatus
	Warnings []string
}

type serviceStatus struct {
	ID, State, Node, Target, Reason string
	Failover                        bool
	Failures                        int
}

func (c *labCluster) status(t testing.TB) status {
	t.Helper()
	return decode[status](t, c.quietly("status", c.name, "-o", "json").ok(t))
}

// service is what status says of a service.
func (c *labCluster) service(t testing.TB, id string) serviceStatus {
	t.Helper()
	for _, s := range c.status(t).Services {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("status does not know service %q\n%s", id, c.state())
	return serviceStatus{}
}

func TestCreateAndBootSay(t *testing.T) {
	c := shared(t)
	c.create(t).ok(t).says(t, "exists already, with the same spec")
	r := lab.shared.booted.says(t, c.name, "quorate", "3 nodes online")
	for _, step := range []string{"waiting for sshd", "configuring with Puppet", "starting Corosync and Pacemaker"} {
		if !strings.Contains(r.stderr, step) {
			t.Errorf("boot does not show the step %q\n%v", step, r)
		}
	}
	if online := c.online(t); len(online) != 3 {
		t.Errorf("Pacemaker says that %v are online, not 3 nodes", online)
	}
}

// TestStatusFields holds status to every field of the specification.
func TestStatusFields(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "fields", "node1")
	got := decode[map[string]any](t, c.run(t, "status", c.name, "-o", "json").ok(t))
	for name, want := range map[string]any{
		"cluster": c.name, "type": "local", "quorate": true, "fencing": true, "detection_seconds": 2.2,
	} {
		if got[name] != want {
			t.Errorf("status has %s = %v, not %v", name, got[name], want)
		}
	}
	if dc := strings.TrimSpace(c.ask(t, "crmadmin --quiet --dc_lookup 2>&1")); got["dc"] == "" || !strings.Contains(dc, fmt.Sprint(got["dc"])) {
		t.Errorf("status has dc = %v; crmadmin says %q", got["dc"], dc)
	}
	nodes, _ := got["nodes"].([]any)
	if len(nodes) != 3 {
		t.Fatalf("status has %d nodes, not 3", len(nodes))
	}
	for i, each := range nodes {
		checkNode(t, c, i, each)
	}
	want := map[string]any{"id": "fields", "state": "running", "node": "node1", "target": "node1",
		"failover": true, "failures": 0.0, "reason": ""}
	services, _ := got["services"].([]any)
	index := slices.IndexFunc(services, func(s any) bool { return s.(map[string]any)["id"] == "fields" })
	if index < 0 {
		t.Fatalf("status does not show the service: %v", services)
	}
	for name, value := range want {
		if have, ok := services[index].(map[string]any)[name]; !ok || have != value {
			t.Errorf("the service has %s = %v, not %v", name, have, value)
		}
	}
}

// checkNode compares a node, as JSON, with its container.
func checkNode(t *testing.T, c *labCluster, index int, each any) {
	t.Helper()
	name := fmt.Sprintf("node%d", index)
	n := c.node(t, name)
	address, err := docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", n.container)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := each.(map[string]any)
	for field, want := range map[string]any{
		"index": float64(index), "name": name, "id": n.container, "address": address,
		"connect": net.JoinHostPort(address, "22"), "state": "online", "role": "full",
	} {
		if got[field] != want {
			t.Errorf("%s has %s = %v, not %v", name, field, got[field], want)
		}
	}
	if capabilities, ok := got["capabilities"].([]any); !ok || len(capabilities) != 0 {
		t.Errorf("%s has capabilities = %v, not []", name, got["capabilities"])
	}
}

func TestMembersInfo(t *testing.T) {
	c := shared(t)
	// Not on a terminal it is the JSON array of the old tool.
	plain := c.run(t, "local", "members", "info", c.name).ok(t)
	members := decode[[]map[string]any](t, plain)
	if len(members) != 3 {
		t.Fatalf("%d members, not 3\n%v", len(members), plain)
	}
	for i, member := range members {
		checkNode(t, c, i, member)
	}
	c.run(t, "members", "info", c.name, "-o", "table").ok(t).says(t, "NODE", "node2", "online")
}

func TestImageIsThere(t *testing.T) {
	c := shared(t) // booting it has built the image
	const format = "{{.Config.Image}}"
	image, err := docker("inspect", "--format", format, c.node(t, "node0").container)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.run(t, "local", "image", "build").ok(t); r.stdout != image+"\n" {
		t.Errorf("it is not the image that the nodes are made from, %s\n%v", image, r)
	}
}

func TestListClusters(t *testing.T) {
	c := shared(t)
	specs := decode[[]map[string]any](t, c.run(t, "list", "-o", "json").ok(t))
	if !slices.ContainsFunc(specs, func(s map[string]any) bool { return s["name"] == c.name && s["size"] == 3.0 }) {
		t.Errorf("list does not have cluster %s: %v", c.name, specs)
	}
	c.run(t, "list").ok(t).says(t, c.name)
}

// TestBootAgain boots a complete cluster: nothing changes, Puppet does not run.
func TestBootAgain(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "undisturbed", "any")
	n := c.node(t, c.where(t, "undisturbed"))
	// What Puppet, Corosync and Pacemaker were started as, and with what.
	const marks = `stat -c '%i %Z' /var/lib/sirikata-cluster/puppet.digest /var/lib/sirikata-cluster/puppet /etc/corosync/corosync.conf
		systemctl show -p InvocationID corosync pacemaker; cibadmin --query --scope resources`
	before := map[string]string{}
	for _, each := range c.running() {
		before[each.name] = each.sh(t, marks)
	}
	pid := n.mainPID(t, "undisturbed")
	c.boot(t).ok(t).says(t, "nothing to do")
	for _, each := range c.running() {
		if after := each.sh(t, marks); after != before[each.name] {
			t.Errorf("boot changed %s:\n%s\nbefore:\n%s", each.name, after, before[each.name])
		}
	}
	if now := n.mainPID(t, "undisturbed"); now != pid {
		t.Errorf("boot restarted a service: pid %s, now %s", pid, now)
	}
}

func TestFixCorosync(t *testing.T) {
	c := shared(t)
	broken := c.node(t, "node2")
	broken.sh(t, "echo >>/etc/corosync/corosync.conf; echo '# by hand' >>/etc/corosync/corosync.conf")
	c.run(t, "local", "fix", "corosync", c.name).ok(t)
	if conf := broken.sh(t, "cat /etc/corosync/corosync.conf"); strings.Contains(conf, "by hand") {
		t.Errorf("fix corosync left what was changed by hand:\n%s", conf)
	}
	if online := c.online(t); len(online) != 3 {
		t.Errorf("after fix corosync %v are online, not 3 nodes", online)
	}
}

// TestCorosync asks the running Corosync, not its file.
func TestCorosync(t *testing.T) {
	c := shared(t)
	keys := map[string]bool{}
	for i, n := range c.running() {
		cmap := n.sh(t, "corosync-cmapctl; corosync-cmapctl -m stats 2>/dev/null | grep connected || true")
		for _, want := range []string{
			"totem.transport (str) = knet", "totem.crypto_cipher (str) = aes256", "totem.crypto_hash (str) = sha256",
			"runtime.config.totem.token (u32) = 1000", "totem.cluster_name (str) = " + c.name,
			fmt.Sprintf("runtime.votequorum.this_node_id (u32) = %d", i+1),
		} {
			if !strings.Contains(cmap, want) {
				t.Errorf("Corosync on %s does not say %q", n.name, want)
			}
		}
		for id := range 3 {
			entry := fmt.Sprintf("nodelist.node.%d.nodeid (u32) = %d", id, id+1)
			name := fmt.Sprintf("nodelist.node.%d.name (str) = node%d", id, id)
			if !strings.Contains(cmap, entry) || !strings.Contains(cmap, name) {
				t.Errorf("Corosync on %s does not say %q and %q", n.name, entry, name)
			}
		}
		if got := strings.TrimSpace(n.sh(t, "stat -c '%s %a %U' /etc/corosync/authkey")); got != "256 400 root" {
			t.Errorf("authkey on %s: size, mode and owner are %q", n.name, got)
		}
		keys[n.sh(t, "sha256sum </etc/corosync/authkey")] = true
	}
	if len(keys) != 1 {
		t.Errorf("the nodes have %d different keys", len(keys))
	}
}

// TestTokenProfile creates, boots nothing: what a profile means is said before.
func TestTokenProfile(t *testing.T) {
	needEngine(t)
	for profile, detection := range map[string]string{"lan": "2.2 s", "cloud": "11.0 s", "2000": "4.4 s"} {
		name := newName()
		first().run(t, "local", "create", name, "3", "--token-profile="+profile).ok(t).says(t, detection)
		spec, _ := json.Marshal(profile)
		if list := first().run(t, "list", "-o", "json").ok(t); !strings.Contains(list.stdout, string(spec)) {
			t.Errorf("list does not show the profile %s", profile)
		}
		first().run(t, "local", "destroy", name).ok(t)
	}
}
