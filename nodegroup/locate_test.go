package nodegroup

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// newLocated are hosts that know their addresses: h0 has 10.0.0.1, and so on.
// Those that were configured know the address of h2, too.
func newLocated(t *testing.T, configured bool) *ownHosts {
	h := newHostsWith(t, 3, cluster.Pacemaker)
	h.says = func(host, _ string) string {
		own := "10.0.0." + map[string]string{"h0": "1", "h1": "2", "h2": "3"}[host]
		known := ""
		if configured {
			known = "known 10.0.0.3 h2\n"
		}
		return "reached 10.0.0.9 5 " + own + " 22\nown " + own + "\nown 172.17.0.1\n" + known
	}
	return h
}

func locate(t *testing.T, h *ownHosts, all bool) (g *NodeGroup, addresses []string, err error) {
	t.Helper()
	g = h.open(t)
	machines, err := g.provider.Find(bounded(t), g.spec)
	if err == nil {
		machines, err = g.locate(bounded(t), machines, all)
	}
	for _, machine := range machines {
		addresses = append(addresses, machine.Name+" "+machine.Address+map[bool]string{false: " is off"}[machine.Running])
	}
	return g, addresses, err
}

func TestLocate(t *testing.T) {
	h := newLocated(t, true)
	want := []string{"h0 10.0.0.1", "h1 10.0.0.2", "h2 10.0.0.3"}
	g, got, err := locate(t, h, true)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%s (%v)", diff, err)
	}
	// The provider does not know them; later commands do.
	machines, err := g.find(bounded(t))
	if err != nil || machines[1].Address != "10.0.0.2" || !machines[1].Running {
		t.Errorf("%+v (%v)", machines, err)
	}
	h.servers[2].Close()
	if _, _, err := locate(t, h, true); err == nil || !strings.HasPrefix(err.Error(), "h2: ") {
		t.Errorf("with all of them: %v", err)
	}
	var progress []string
	h.env.Progress = func(line string) { progress = append(progress, line) }
	want[2] += " is off"
	if _, got, err = locate(t, h, false); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%v (%v)", got, err)
	}
	if len(progress) != 1 || !strings.HasPrefix(progress[0], "h2 does not answer, and is left as it is: ") {
		t.Errorf("%q", progress)
	}
}

// TestLocateUnknown: of a host that never was in the cluster nobody knows the
// address.
func TestLocateUnknown(t *testing.T) {
	h := newLocated(t, false)
	h.servers[2].Close()
	_, _, err := locate(t, h, false)
	if err == nil || !strings.HasPrefix(err.Error(), "h2: it never was in the cluster") || !strings.Contains(cluster.HintOf(err), "remove node world h2") {
		t.Errorf("%v; %s", err, cluster.HintOf(err))
	}
}

// TestLocateTwice: two words for one host are found out.
func TestLocateTwice(t *testing.T) {
	h := newHostsWith(t, 2, cluster.Pacemaker)
	h.says = func(string, string) string { return "reached 10.0.0.9 5 10.0.0.1 22\nown 10.0.0.1\n" }
	if _, _, err := locate(t, h, true); err == nil || err.Error() != "h0 and h1 both have the address 10.0.0.1" {
		t.Error(err)
	}
}

// TestUnknownHosts: a spec that lacks a host which another operator added is of no
// use for changes.
func TestUnknownHosts(t *testing.T) {
	h := newHostsWith(t, 2, cluster.Pacemaker)
	g := h.open(t)
	for used, want := range map[int]bool{2: false, 3: true} {
		spec := g.spec.CaughtUp(cluster.Past{Used: used})
		if err := g.unknownHosts(spec); (err != nil) != want {
			t.Errorf("%d used: %v", used, err)
		}
	}
	if err := g.unknownHosts(g.spec.CaughtUp(cluster.Past{Used: 2, Removed: []int{1}})); err != nil {
		t.Error(err)
	}
}

// TestDestroyHosts refuses while a host has anything of the cluster.
func TestDestroyHosts(t *testing.T) {
	h := newHostsWith(t, 2, cluster.Pacemaker)
	owner := "world"
	h.says = func(host, line string) string {
		if strings.Contains(line, "node.json") && host == "h1" {
			return "owner " + owner + "\n"
		}
		return map[bool]string{true: "0\n"}[strings.Contains(line, "id -u")] // it is root who is logged in
	}
	err := h.open(t).Destroy(bounded(t), true)
	if err == nil || err.Error() != `destroy cluster "world": it still has nodes (h1)` || !strings.Contains(cluster.HintOf(err), "adhoc nodes terminate world") {
		t.Errorf("%v; %s", err, cluster.HintOf(err))
	}
	owner = "another"
	h.servers[0].Close()
	err = h.open(t).Destroy(bounded(t), false)
	if err == nil || !strings.Contains(err.Error(), "no answer from h0: ") {
		t.Error(err)
	}
	if err := h.open(t).Destroy(bounded(t), true); err != nil {
		t.Error(err)
	}
}

// TestWithAddresses: what was found is of the host that it was found on.
func TestWithAddresses(t *testing.T) {
	h := newHostsWith(t, 2, cluster.Pacemaker)
	g := h.open(t)
	machines, err := g.provider.Find(bounded(t), g.spec)
	if err != nil {
		t.Fatal(err)
	}
	known := []provider.Machine{{Name: "h0", ID: machines[0].ID, Address: "10.0.0.1"}, {Name: "h1", ID: "another host", Address: "10.0.0.2"}}
	if err := g.store.SaveCache("world", machinesKey, known); err != nil {
		t.Fatal(err)
	}
	before := machines[1].Address
	if err := g.withAddresses(machines); err != nil || machines[0].Address != "10.0.0.1" || machines[1].Address != before {
		t.Errorf("%+v (%v)", machines, err)
	}
}

// TestLeaving: a host that left the cluster before it was as it was can be finished
// by name, and until then the cluster is not forgotten.
func TestLeaving(t *testing.T) {
	h := newHostsWith(t, 2, cluster.Pacemaker)
	restored := 0
	h.says = func(host, line string) string {
		switch {
		case strings.Contains(line, "sirikata-restore"):
			restored++
		case strings.Contains(line, "node.json") && host == "h1" && restored == 0:
			return "owner world\n"
		case strings.Contains(line, "id -u"):
			return "0\n"
		}
		return ""
	}
	g := h.open(t)
	node := cluster.Node{Index: 1, Name: "h1"}
	if err := g.noteLeaving(node); err != nil {
		t.Fatal(err)
	}
	if err := g.store.Update(g.spec.Without(1)); err != nil {
		t.Fatal(err)
	}
	if err := h.open(t).Destroy(bounded(t), false); err == nil || !strings.Contains(err.Error(), "no answer from h1") {
		t.Error(err)
	}
	removed, stranded, err := h.open(t).RemoveNode(bounded(t), "h1")
	if err != nil || removed.Name != "h1" || len(stranded) > 0 || restored != 1 {
		t.Errorf("%+v %v, restored %d times (%v)", removed, stranded, restored, err)
	}
	if left, err := h.open(t).leaving(); err != nil || len(left) > 0 {
		t.Errorf("%+v (%v)", left, err)
	}
	var unknown *cluster.NotFoundError
	if _, _, err := h.open(t).RemoveNode(bounded(t), "h1"); !errors.As(err, &unknown) {
		t.Errorf("again: %v", err)
	}
	if err := h.open(t).Destroy(bounded(t), false); err != nil {
		t.Error(err)
	}
}

// TestAddForeignHost: a host of another cluster does not get into the spec.
func TestAddForeignHost(t *testing.T) {
	h := newHostsWith(t, 1, cluster.Pacemaker)
	h.says = func(host, line string) string {
		switch {
		case strings.Contains(line, "node.json") && host == "late":
			return "owner others\nremote yes\n"
		case strings.Contains(line, "id -u"):
			return "0\n"
		}
		return ""
	}
	word := h.serve(t, "late")
	if _, err := h.open(t).AddHost(bounded(t), word); err == nil || !strings.Contains(err.Error(), `late: it is a node of another cluster, "others"`) {
		t.Error(err)
	}
	if spec := h.open(t).Spec(); len(spec.Hosts) != 1 {
		t.Errorf("%+v", spec.Hosts)
	}
}

// TestAddUnanswered: a cluster that is there and does not answer is not taken for
// one that was never booted.
func TestAddUnanswered(t *testing.T) {
	h := newHostsWith(t, 1, cluster.Pacemaker)
	h.says = func(_, line string) string {
		if strings.Contains(line, "node.json") {
			return "owner world\n"
		}
		return map[bool]string{true: "0\n"}[strings.Contains(line, "id -u")]
	}
	_, err := h.open(t).AddHost(bounded(t), h.serve(t, "late"))
	if err == nil || err.Error() != `cluster "world" does not answer on h0` || !strings.Contains(cluster.HintOf(err), "fix corosync world") {
		t.Errorf("%v; %s", err, cluster.HintOf(err))
	}
}

// TestLocateLeaving: a host of which nothing is known can be removed.
func TestLocateLeaving(t *testing.T) {
	h := newLocated(t, false)
	h.servers[2].Close()
	g := h.open(t)
	machines, err := g.provider.Find(bounded(t), g.spec)
	if err == nil {
		machines, err = g.locateBut(bounded(t), machines, false, "h2")
	}
	if err != nil || len(machines) != 2 {
		t.Errorf("%+v (%v)", machines, err)
	}
}
