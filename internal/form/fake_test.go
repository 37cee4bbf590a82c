package form

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// fakeNode is a Debian host that does what it is asked to. What it never was
// asked before, and what has no sense on it, fails the test.
type fakeNode struct {
	t    *testing.T
	name string

	mu     sync.Mutex
	facts  map[string]string // the lines of inspectScript
	digest string            // of what Puppet applied last
	data   map[string]any    // what Puppet applied last
	did    []string          // in order
	mon    []string          // outputs of crm_mon, the last one again and again
	cib    string            // what cibadmin says of the configuration
	down   bool              // its Pacemaker does not answer
	lose   func()            // called once, when Puppet is to run
	fails  map[string]string // standard error of what fails
	stays  string            // what a host cannot get rid of

	watchdog string // what watchdogScript says
}

// newFakeNode is a host with Debian's packages, fresh from its provider.
func newFakeNode(t *testing.T, name string) *fakeNode {
	return &fakeNode{t: t, name: name, fails: map[string]string{},
		facts: map[string]string{"machine": "x86_64", "program": "", "conf": "c0ffee", "cluster": "debian", "authkey": ""},
		mon:   []string{recordedMon(t, "empty")},
		cib:   "<configuration/>",
	}
}

func recordedMon(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../cib/testdata/mon-" + name + "-2.1.5.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// answer is a remotetest.Handler.
func (n *fakeNode) answer(line string, stdin io.Reader, stdout, stderr io.Writer) int {
	input, _ := io.ReadAll(stdin)
	n.mu.Lock()
	defer n.mu.Unlock()
	did, out := n.do(line, input)
	if did != "" {
		n.did = append(n.did, did)
	}
	if n.down && strings.HasPrefix(line, "crm_mon ") {
		return 102
	}
	if why, ok := n.fails[did]; ok {
		_, _ = io.WriteString(stderr, why)
		return 1
	}
	_, _ = io.WriteString(stdout, out)
	return 0
}

// do does what a line asks for. Looking is not doing.
func (n *fakeNode) do(line string, input []byte) (did, out string) {
	switch {
	case line == remote.Quote([]string{"sh", "-c", inspectScript}):
		for name, value := range n.facts {
			out += name + " " + value + "\n"
		}
		return "", out
	case strings.HasPrefix(line, remote.Quote([]string{"sh", "-c", watchdogScript})):
		return "", n.watchdog
	case line == "timeout 60 systemctl stop pacemaker.service":
		return "stop pacemaker.service", ""
	case line == "cat /var/lib/sirikata-cluster/puppet.digest":
		return "", n.digest
	case line == "crm_mon --one-shot --output-as=xml":
		out = n.mon[0]
		n.mon = n.mon[min(1, len(n.mon)-1):]
		return "", out
	case strings.HasPrefix(line, "sh -c ") && strings.Contains(line, " "+cluster.NodeProgramPath+" "):
		n.facts["program"] = "installed"
		return fmt.Sprintf("install %d bytes", len(input)), ""
	case strings.HasPrefix(line, "sh -c ") && strings.Contains(line, " sirikata-prepare "):
		return "prepare", ""
	case strings.HasPrefix(line, "sh -c ") && strings.Contains(line, " sirikata-puppet ") && n.lose != nil:
		n.lose()
		n.lose = nil
		return "lost", ""
	case strings.HasPrefix(line, "sh -c ") && strings.Contains(line, " sirikata-puppet "):
		n.apply(line, input)
		return "puppet", "changed\n"
	case line == "systemctl start corosync.service pacemaker.service":
		n.facts["corosync"], n.facts["pacemaker"], n.facts["cib"] = "yes", "yes", "yes"
		return "start", ""
	case line == "systemctl start pacemaker_remote.service":
		n.facts["remote"] = "yes"
		return "start remote", ""
	case line == "systemctl stop pacemaker.service corosync.service":
		delete(n.facts, "corosync")
		delete(n.facts, "pacemaker")
		return "stop", ""
	case strings.HasPrefix(line, "sh -c ") && strings.Contains(line, " sirikata-restore "):
		return "restore", n.stays
	case line == "crm_attribute --type crm_config --name stop-all-resources --update true":
		return "stop services", ""
	case line == "crm_attribute --type crm_config --name stonith-enabled --update false":
		return "stop fencing", ""
	case line == "crm_attribute --type crm_config --name stonith-watchdog-timeout --update 0":
		return "do not wait for watchdogs", ""
	case line == "cibadmin --query --scope configuration":
		return "", n.cib
	case line == "cibadmin --modify --allow-create --scope configuration --xml-pipe":
		n.cib = string(input)
		return "complete", ""
	case strings.HasPrefix(line, "crm_node --force --remove "):
		return "forget " + strings.TrimPrefix(line, "crm_node --force --remove "), ""
	case line == "corosync-cfgtool -R":
		return "reload", ""
	}
	n.t.Errorf("%s: unexpected: %s", n.name, line)
	return "nonsense", ""
}

// apply is what the Puppet modules do with their data, as far as can be seen.
func (n *fakeNode) apply(line string, bundle []byte) {
	words := strings.Fields(line)
	n.digest = words[len(words)-2]
	archive := tar.NewReader(bytes.NewReader(bundle))
	for {
		header, err := archive.Next()
		if err != nil {
			n.t.Errorf("%s: no data in what to apply: %v", n.name, err)
			return
		}
		if header.Name == "data/node.json" {
			break
		}
	}
	n.data = map[string]any{}
	if err := json.NewDecoder(archive).Decode(&n.data); err != nil {
		n.t.Errorf("%s: %v", n.name, err)
	}
	n.facts["cluster"], _ = n.data["sirikata::corosync::cluster"].(string)
	n.facts["authkey"], _ = n.data["sirikata::corosync::authkey"].(string)
	n.facts["remotekey"], _ = n.data["sirikata::remote_key::key"].(string)
	file, _ := n.data["sirikata::node::node_file"].(map[string]any)
	n.facts["role"], _ = file["role"].(string)
	n.facts["owner"], _ = file["cluster"].(string)
	n.facts["full"] = ""
	members, _ := n.data["sirikata::corosync::members"].([]any)
	for _, member := range members {
		n.facts["full"] += member.(map[string]any)["name"].(string) + " "
	}
	n.facts["conf"] = fmt.Sprintf("%x", n.facts["full"])
}

// group is a cluster of fake nodes.
type group struct {
	nodes    []*fakeNode
	servers  []*remotetest.Server
	former   Former
	progress []string
}

func newGroup(t *testing.T, size int) *group {
	t.Helper()
	g := &group{former: Former{programs: fakePrograms()}}
	var hosts []remote.Host
	for i := range size {
		node := newFakeNode(t, fmt.Sprintf("node%d", i))
		server := remotetest.Start(t, remotetest.Config{Handler: node.answer})
		hosts = append(hosts, server.Host(node.name))
		g.nodes, g.servers = append(g.nodes, node), append(g.servers, server)
		g.former.Nodes = append(g.former.Nodes, cluster.Node{Index: i, Name: node.name,
			Address: fmt.Sprintf("10.0.0.%d", i+1), FQDN: node.name + ".example.org", Capabilities: []string{}})
	}
	g.former.Pool = remote.NewPool(hosts, remote.NewHostKeys("world", filepath.Join(t.TempDir(), "pins"), ""))
	t.Cleanup(func() { _ = g.former.Pool.Close() })
	g.former.Spec = cluster.Spec{Name: "world", Type: cluster.Local, Engine: cluster.Pacemaker, Size: size,
		TokenProfile: cluster.LAN, ServiceUser: "sirikata", SirikataPath: "/srv/sirikata", WorkingPath: "/srv", WorkspacePath: "/var/tmp"}
	g.former.Progress = func(line string) { g.progress = append(g.progress, line) }
	return g
}

// form forms the cluster, as a new command does, and forgets what was done
// before.
func (g *group) form(t *testing.T) (bool, error) {
	t.Helper()
	g.progress = nil
	for _, node := range g.nodes {
		node.did = nil
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("the test took too long"))
	defer cancel()
	former := g.former
	return former.Form(ctx)
}

// formed are nodes on which the cluster runs.
func (g *group) formed(t *testing.T) {
	t.Helper()
	if _, err := g.form(t); err != nil {
		t.Fatal(err)
	}
	_, digest, err := g.former.program("x86_64")
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range g.nodes {
		node.facts["program"] = digest
	}
}

// fakePrograms stand for sirikata-node, which has to be built first.
func fakePrograms() fstest.MapFS {
	return fstest.MapFS{
		"built/sirikata-node-linux-amd64": {Data: []byte("for amd64")},
		"built/sirikata-node-linux-arm64": {Data: []byte("for arm64, too")},
	}
}

func key(fill byte) []byte { return bytes.Repeat([]byte{fill}, authKeySize) }

func base64Of(key []byte) string { return base64.StdEncoding.EncodeToString(key) }
