package form

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// watched are three hosts with watchdogs.
func watched(t *testing.T) *group {
	g := newGroup(t, 3)
	g.former.Spec.Type, g.former.Spec.Fencing, g.former.Fence = cluster.AdHoc, true, &Fence{}
	for i, node := range g.former.Nodes {
		g.former.Spec.Hosts = append(g.former.Spec.Hosts, cluster.Host{Index: i, Name: node.Name, DNSName: node.Name, Fence: cluster.HostFence{"agent": "sbd"}})
	}
	g.former.Prepare = true
	return g
}

// TestFormWithoutWatchdog changes nothing where one is missing or is used.
func TestFormWithoutWatchdog(t *testing.T) {
	g := watched(t)
	g.nodes[1].watchdog = "missing\n"
	g.nodes[2].watchdog = "held 1 systemd\n"
	_, err := g.form(t)
	if err == nil {
		t.Fatal("it formed")
	}
	for _, want := range []string{"node1: it has no watchdog /dev/watchdog", "node2: systemd itself uses the watchdog /dev/watchdog"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not %q in %v", want, err)
		}
	}
	if hint := cluster.HintOf(err); !strings.Contains(hint, "softdog") || strings.Contains(err.Error(), "node0") {
		t.Errorf("%v, hint %q", err, hint)
	}
	g.did(t, "node0 ", "node1 ", "node2 ")
	g.former.Nodes = g.former.Nodes[1:2]
	if err := g.former.Vet(t.Context()); err == nil || !strings.Contains(err.Error(), "it has no watchdog") {
		t.Errorf("it is taken: %v", err)
	}
}

// TestFormWithWatchdogs gives every node its own, and the cluster the time to wait.
func TestFormWithWatchdogs(t *testing.T) {
	g := watched(t)
	g.former.Spec.Hosts[1].Fence = cluster.HostFence{"agent": "sbd", "watchdog": "/dev/watchdog1", "timeout": "8"}
	if _, err := g.form(t); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"/dev/watchdog 5 16", "/dev/watchdog1 8 16", "/dev/watchdog 5 16"} {
		data := g.nodes[i].data
		got := fmt.Sprint(data["sirikata::sbd::watchdog"], " ", data["sirikata::sbd::timeout_seconds"], " ", data["sirikata::sbd::delay_seconds"])
		if got != want || data["sirikata::guard::enabled"] != false {
			t.Errorf("node%d: %s, not %s (guard %v)", i, got, want, data["sirikata::guard::enabled"])
		}
	}
	for _, want := range []string{`name="stonith-enabled" value="true"`, `name="stonith-watchdog-timeout" value="16s"`} {
		if !strings.Contains(g.nodes[0].cib, want) || strings.Contains(g.nodes[0].cib, `class="stonith"`) {
			t.Errorf("not %s alone in\n%s", want, g.nodes[0].cib)
		}
	}
	if limit := g.former.noticeLimit(); limit < userFencingLimit+g.former.Spec.WatchdogWait() {
		t.Errorf("a removed node is waited for only %v", limit)
	}
}

// TestDisbandWithWatchdogs ends Pacemaker everywhere before any node leaves: those that
// are left lose their quorum.
func TestDisbandWithWatchdogs(t *testing.T) {
	g := watched(t)
	for _, node := range g.nodes {
		node.facts["owner"], node.facts["role"], node.facts["corosync"], node.facts["pacemaker"] = "world", "full", "yes", "yes"
	}
	g.nodes[1].fails["stop pacemaker.service"] = "it hangs" // and the others go on
	if _, err := g.disband(t); err == nil || !strings.Contains(err.Error(), "node1: ") {
		t.Error(err)
	}
	g.did(t, "node0 stop services, stop fencing, do not wait for watchdogs, stop pacemaker.service, restore",
		"node1 stop pacemaker.service, restore", "node2 stop pacemaker.service, restore")
}

func TestWatchdogFault(t *testing.T) {
	for _, test := range []struct {
		line string
		ours bool
		want string // of the error; empty for none
		hint string
	}{
		{"missing", true, "it has no watchdog /dev/w", "modprobe"},
		{"file", false, "/dev/w is a file, not a watchdog", "remove it"},
		{"held 1 systemd", true, "systemd itself uses the watchdog /dev/w", "RuntimeWatchdogSec"},
		{"held 712 watchdogd", true, "watchdogd (process 712) uses the watchdog /dev/w", "stop it"},
		{"held 712 sbd", false, "sbd (process 712) uses", "stop it"},
		{"held 712 sbd", true, "", ""},
		{"", true, "", ""},
	} {
		err := watchdogFault("/dev/w", test.line, test.ours)
		if test.want == "" && err == nil {
			continue
		}
		if err == nil || test.want == "" || !strings.Contains(err.Error(), test.want) || !strings.Contains(cluster.HintOf(err), test.hint) {
			t.Errorf("%q: %v, hint %q", test.line, err, cluster.HintOf(err))
		}
	}
}

// TestWatchdogScript runs it, on what is no watchdog.
func TestWatchdogScript(t *testing.T) {
	file := filepath.Join(t.TempDir(), "watchdog")
	says := func(device string) string {
		out, err := exec.Command("sh", "-c", watchdogScript, "sh", device).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if said := says(file); said != "missing\n" {
		t.Errorf("of nothing: %q", said)
	}
	open, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if said, want := says(file), fmt.Sprintf("file\nheld %d form.test\n", os.Getpid()); said != want {
		t.Errorf("of a file that is open: %q, not %q", said, want)
	}
	if said := says("/dev/zero"); strings.Contains(said, "file") || strings.Contains(said, "missing") {
		t.Errorf("of a device: %q", said)
	}
}
