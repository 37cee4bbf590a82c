package nodegroup

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// recordedEngine is an engine of which only the status is asked.
type recordedEngine struct {
	engine.Engine
	status cluster.Status
}

func (e recordedEngine) Status(context.Context) (cluster.Status, error) { return e.status, nil }

// Past is that of a cluster that is not booted.
func (e recordedEngine) Past(context.Context) (cluster.Past, error) {
	return cluster.Past{}, errors.New("nobody answers for it")
}

// ownHosts are hosts that somebody has, as an ad-hoc cluster.
type ownHosts struct {
	env      Env
	identity string
	key      ssh.PublicKey
	servers  []*remotetest.Server
	services []cluster.ServiceStatus
	// says is what a host answers; its name unless it is set.
	says func(host, line string) string
}

func newOwnHosts(t *testing.T, size int) *ownHosts {
	t.Helper()
	return newHostsWith(t, size, cluster.Direct)
}

func newHostsWith(t *testing.T, size int, engine cluster.Engine) *ownHosts {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir()) // no ssh: the usual files alone
	h := &ownHosts{env: Env{Home: t.TempDir()}, identity: filepath.Join(t.TempDir(), "id")}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err == nil {
		err = os.WriteFile(h.identity, pem.EncodeToMemory(block), 0o600)
	}
	if err == nil {
		h.key, err = ssh.NewPublicKey(public)
	}
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for i := range size {
		words = append(words, h.serve(t, fmt.Sprintf("h%d", i)))
	}
	spec, err := AdHocSpec(AdHoc{Name: "world", User: "bob", Engine: engine, TokenProfile: cluster.LAN, Nodes: words,
		Paths: cluster.Paths{Sirikata: "/s", Working: "/w", Workspace: "/x"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(h.env, spec); err != nil {
		t.Fatal(err)
	}
	return h
}

// serve starts a host and returns it as a word of the command line.
func (h *ownHosts) serve(t *testing.T, name string) string {
	t.Helper()
	server := remotetest.Start(t, remotetest.Config{Authorized: []ssh.PublicKey{h.key},
		Handler: func(line string, _ io.Reader, stdout, _ io.Writer) int {
			answer := name
			if h.says != nil {
				answer = h.says(name, line)
			}
			_, _ = io.WriteString(stdout, answer)
			return 0
		}})
	h.servers = append(h.servers, server)
	host, port, _ := strings.Cut(server.Addr, ":")
	return fmt.Sprintf(`{"dns_name":%q,"port":%s,"name":%q,"identity_file":%q}`, host, port, name, h.identity)
}

func (h *ownHosts) open(t *testing.T) *NodeGroup {
	t.Helper()
	g, err := Open(h.env, "world")
	if err != nil {
		t.Fatal(err)
	}
	g.engines = func(spec cluster.Spec, nodes []cluster.Node, _ *remote.Pool, _ func(string)) (engine.Engine, error) {
		return recordedEngine{status: cluster.Status{Cluster: spec.Name, Nodes: nodes, Services: h.services}}, nil
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func states(nodes []cluster.Node) map[string]cluster.NodeState {
	all := map[string]cluster.NodeState{}
	for _, node := range nodes {
		all[node.Name] = node.State
	}
	return all
}

func TestAdHocNodes(t *testing.T) {
	h := newOwnHosts(t, 3)
	h.servers[1].Close()
	nodes, err := h.open(t).Nodes(bounded(t))
	want := map[string]cluster.NodeState{"h0": cluster.Online, "h1": cluster.Offline, "h2": cluster.Online}
	if diff := cmp.Diff(want, states(nodes)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	results, err := h.open(t).RunAll(bounded(t), []string{"hostname"})
	if err != nil || string(results[0].Stdout) != "h0" || !errors.Is(results[1].Err, remote.ErrUnreachable) || string(results[2].Stdout) != "h2" {
		t.Errorf("%+v (%v)", results, err)
	}
	for _, server := range []int{0, 2} {
		h.servers[server].Close()
	}
	// That nobody answers is an answer, too.
	if nodes, err = h.open(t).Nodes(bounded(t)); err != nil || states(nodes)["h0"] != cluster.Offline {
		t.Errorf("%v (%v)", states(nodes), err)
	}
}

func TestAddAndRemoveHost(t *testing.T) {
	h := newOwnHosts(t, 2)
	if _, err := h.open(t).AddHost(bounded(t), `{"dns_name":"127.0.0.1","port":1,"name":"gone"}`); !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("a host that does not answer: %v", err)
	}
	added, err := h.open(t).AddHost(bounded(t), h.serve(t, "h2"))
	if err != nil || added.Name != "h2" || added.Index != 2 || added.State != cluster.Online {
		t.Fatalf("%+v (%v)", added, err)
	}
	h.services = []cluster.ServiceStatus{{ID: "web", Node: "h2", Target: cluster.Any}, {ID: "db", Target: "h1"}}
	for _, node := range []string{"h2", "h1"} {
		if _, _, err := h.open(t).RemoveNode(bounded(t), node); !errors.Is(err, ErrServices) {
			t.Errorf("remove %s, which has a service: %v", node, err)
		}
	}
	h.services = nil
	h.servers[1].Close() // one that does not answer can be removed all the same
	for _, node := range []string{"h2", "h1"} {
		if removed, _, err := h.open(t).RemoveNode(bounded(t), node); err != nil || removed.Name != node {
			t.Fatalf("%+v (%v)", removed, err)
		}
	}
	if added, err = h.open(t).AddHost(bounded(t), h.serve(t, "h1")); err != nil || added.Index != 3 {
		t.Errorf("an index is used again: %+v (%v)", added, err)
	}
	spec, err := ReadSpec(h.env, "world")
	if diff := cmp.Diff([]int{2, 1}, spec.Removed); diff != "" || err != nil || spec.Size != 2 {
		t.Errorf("%+v (%v)\n%s", spec, err, diff)
	}
	if _, _, err := h.open(t).RemoveNode(bounded(t), "h0"); err != nil {
		t.Error(err)
	}
	_, _, err = h.open(t).RemoveNode(bounded(t), "h1")
	wantError(t, err, `remove h1: it is the only node of cluster "world"`, "destroy forgets the whole cluster: sirikata-cluster adhoc destroy world")
}

func TestDestroyAdHoc(t *testing.T) {
	h := newOwnHosts(t, 2)
	h.services = []cluster.ServiceStatus{{ID: "web", Node: "h1"}, {ID: "db", Node: "h0"}}
	wantError(t, h.open(t).Destroy(bounded(t), true), `destroy cluster "world": it still has services: db, web`,
		"remove each first: sirikata-cluster remove service world db")
	h.services = nil
	h.servers[1].Close()
	if err := h.open(t).Destroy(bounded(t), false); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "no answer from h1") {
		t.Errorf("with a node that does not answer: %v", err)
	}
	if err := h.open(t).Destroy(bounded(t), true); err != nil {
		t.Error(err)
	}
	if _, err := Open(h.env, "world"); err == nil {
		t.Error("it is still there")
	}
}

func TestAdHocTrust(t *testing.T) {
	h := newOwnHosts(t, 1)
	known := ssh.FingerprintSHA256(h.servers[0].HostKey())
	if nodes, err := h.open(t).Nodes(bounded(t)); err != nil || nodes[0].State != cluster.Online {
		t.Fatalf("%v (%v)", nodes, err)
	}
	changed := remotetest.NewKey(t)
	h.servers[0].SetHostKeys(changed)
	var refused *remote.HostKeyChangedError
	if results, err := h.open(t).RunAll(bounded(t), []string{"true"}); err != nil || !errors.As(results[0].Err, &refused) {
		t.Errorf("%v (%v)", results, err)
	}
	trusted, key, err := h.open(t).OfferedKey(bounded(t), "0")
	if want := (Trusted{Node: "h0", Known: known, Now: ssh.FingerprintSHA256(changed.PublicKey())}); err != nil || trusted != want {
		t.Errorf("%+v (%v), not %+v", trusted, err, want)
	}
	if err := h.open(t).Trust("h0", key); err != nil {
		t.Fatal(err)
	}
	if results, err := h.open(t).RunAll(bounded(t), []string{"true"}); err != nil || results[0].Err != nil {
		t.Errorf("%v (%v)", results, err)
	}
}

func TestNotForDirect(t *testing.T) {
	h := newOwnHosts(t, 1)
	for what, do := range map[string]func(g *NodeGroup) error{
		"boot":      func(g *NodeGroup) error { _, _, err := g.Boot(bounded(t)); return err },
		"fix":       func(g *NodeGroup) error { _, _, err := g.FixCorosync(bounded(t)); return err },
		"terminate": func(g *NodeGroup) error { _, err := g.Terminate(bounded(t)); return err },
	} {
		if err := do(h.open(t)); !errors.Is(err, ErrNotDirect) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := h.open(t).AddNodes(bounded(t), 2); err == nil {
		t.Error("nodes can be added by number")
	}
}

// TestAdHocSudo hands the password of sudo to hosts with Pacemaker, all of which
// share what is known of it, and to no others.
func TestAdHocSudo(t *testing.T) {
	h := newHostsWith(t, 1, cluster.Pacemaker)
	h.env.SudoPassword = "s3cret"
	g := h.open(t)
	sudo := g.ofHost(provider.Machine{Name: "h0"}).Sudo
	if sudo == nil || sudo.Password != "s3cret" || g.ofHost(provider.Machine{Name: "h1"}).Sudo != sudo {
		t.Error("the hosts do not share one sudo with the password")
	}
	g.spec.Engine = cluster.Direct
	if g.ofHost(provider.Machine{Name: "h0"}).Sudo != nil {
		t.Error("hosts with the engine direct use sudo")
	}
	if UsesSudo(cluster.Spec{Type: cluster.Local, Engine: cluster.Pacemaker}) {
		t.Error("local clusters use sudo")
	}
}
