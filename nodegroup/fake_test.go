package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
	"github.com/sirikata/sirikata-cluster/internal/store"
)

// fakeProvider has machines and counts what it is asked.
type fakeProvider struct {
	mu         sync.Mutex
	machines   []provider.Machine
	fault      error // of every method
	noKeys     bool  // Authorize is not supported
	finds      int
	wanted     []int    // indexes of what was to be allocated last
	authorized []string // names of machines
	released   bool
	onKey      func(machine provider.Machine, key ssh.PublicKey)
}

func (p *fakeProvider) Allocate(_ context.Context, spec cluster.Spec, _ string, progress func(string)) ([]provider.Machine, error) {
	progress("allocating")
	p.wanted = spec.Indexes()
	return slices.Clone(p.machines), p.fault
}

func (p *fakeProvider) Find(context.Context, cluster.Spec) ([]provider.Machine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finds++
	return slices.Clone(p.machines), p.fault
}

func (p *fakeProvider) Release(context.Context, cluster.Spec) error {
	p.released = p.fault == nil
	return p.fault
}

func (p *fakeProvider) ReleaseMachine(_ context.Context, _ cluster.Spec, machine provider.Machine) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		p.machines = slices.DeleteFunc(p.machines, func(m provider.Machine) bool { return m.Index == machine.Index })
	}
	return p.fault
}

func (p *fakeProvider) Authorize(_ context.Context, machine provider.Machine, line string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noKeys {
		return fmt.Errorf("authorize: %w", provider.ErrNotSupported)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return err
	}
	p.authorized = append(p.authorized, machine.Name)
	slices.Sort(p.authorized)
	p.onKey(machine, key)
	return p.fault
}

// poweredProvider can switch machines, too.
type poweredProvider struct {
	*fakeProvider
	did []string
}

func (p *poweredProvider) do(what string, machine provider.Machine) error {
	p.did = append(p.did, what+" "+machine.Name)
	return p.fault
}

func (p *poweredProvider) Kill(_ context.Context, m provider.Machine) error  { return p.do("kill", m) }
func (p *poweredProvider) Stop(_ context.Context, m provider.Machine) error  { return p.do("stop", m) }
func (p *poweredProvider) Start(_ context.Context, m provider.Machine) error { return p.do("start", m) }

// fakeCluster is a store with one cluster of machines that answer.
type fakeCluster struct {
	provider *fakeProvider
	servers  []*remotetest.Server
	env      Env
	progress []string
	size     int // nodes from this index on are not in the cluster
	// replies may answer a command otherwise than answer does.
	replies func(node, cmd string) (text string, replied bool)
}

// newFakeCluster has size nodes, which all let the key of the cluster in.
func newFakeCluster(t *testing.T, size int) *fakeCluster {
	t.Helper()
	f := &fakeCluster{provider: &fakeProvider{}, env: Env{Home: t.TempDir()}, size: size}
	f.env.Progress = func(line string) { f.progress = append(f.progress, line) }
	spec := LocalSpec("world", 3, cluster.LAN)
	spec.Capabilities = map[string][]string{"node1": {"redis"}}
	spec.Fencing = false
	if created, err := Create(f.env, spec); err != nil || !created {
		t.Fatalf("created %v (%v)", created, err)
	}
	signer, _, _, err := store.Open(f.env.Home).Key("world")
	if err != nil {
		t.Fatal(err)
	}
	for i := range size {
		f.serve(t, i, signer.PublicKey())
	}
	f.provider.onKey = func(machine provider.Machine, key ssh.PublicKey) {
		f.servers[machine.Index].Authorize(key)
	}
	return f
}

// serve starts a machine that lets the keys in.
func (f *fakeCluster) serve(t *testing.T, index int, keys ...ssh.PublicKey) {
	t.Helper()
	name := fmt.Sprintf("node%d", index)
	server := remotetest.Start(t, remotetest.Config{Authorized: keys,
		Handler: func(cmd string, _ io.Reader, stdout, stderr io.Writer) int {
			if f.replies != nil {
				if text, replied := f.replies(name, cmd); replied {
					_, _ = io.WriteString(stdout, text)
					return 0
				}
			}
			var text strings.Builder
			code := answer(t, name, cmd, &text, stderr)
			_, _ = io.WriteString(stdout, without(text.String(), f.size))
			return code
		}})
	f.servers = append(f.servers, server)
	f.provider.machines = append(f.provider.machines, provider.Machine{
		Index: index, Name: name, ID: fmt.Sprintf("%d23456789abcdef", index), Connect: server.Addr,
		Address: fmt.Sprintf("10.0.0.%d", index+1), FQDN: name + ".example.org", Running: true,
		HostKey: string(ssh.MarshalAuthorizedKey(server.HostKey())),
	})
}

// without is what crm_mon says where there are no nodes from an index on.
func without(text string, index int) string {
	for ; index < 3; index++ {
		begin := strings.Index(text, `<node name="`+cluster.NodeName(index)+`" id="`+strconv.Itoa(index+1)+`" online=`)
		if begin >= 0 {
			text = text[:begin] + text[begin+strings.Index(text[begin:], "/>")+2:]
		}
	}
	return text
}

// answer is a node whose cluster runs two services.
func answer(t *testing.T, node, cmd string, stdout, stderr io.Writer) int {
	file := ""
	switch cmd {
	case "crm_mon --one-shot --output-as=xml":
		file = "mon-running"
	case "cibadmin --query --scope resources":
		file = "resources-running"
	case "cibadmin --query --xpath //transient_attributes":
		file = "transient-empty"
	case cluster.NodeProgramPath + " load":
		return 2 // an older one, which does not know the question
	case "cibadmin --query --scope crm_config":
		_, _ = io.WriteString(stdout, "<crm_config/>")
		return 0
	case remote.Quote(cib.AskNodes()):
		_, _ = io.WriteString(stdout, `<xpath-query><cib have-quorum="1" dc-uuid="1"/></xpath-query>`)
		return 0
	case "hostname":
		_, _ = io.WriteString(stdout, node+"\n")
		return 0
	case "false":
		_, _ = io.WriteString(stderr, "no\n")
		return map[string]int{"node0": 0, "node1": 7}[node]
	default:
		t.Errorf("%s: unexpected: %s", node, cmd)
		return 127
	}
	text, err := os.ReadFile("../internal/cib/testdata/" + file + "-2.1.5.xml")
	if err != nil {
		t.Error(err)
		return 126
	}
	_, _ = stdout.Write(text)
	return 0
}

// open is a new command.
func (f *fakeCluster) open(t *testing.T) *NodeGroup {
	t.Helper()
	g, err := Open(f.env, "world")
	if err != nil {
		t.Fatal(err)
	}
	g.provider = f.provider
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// bounded ends before the test would.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("the test took too long"))
	t.Cleanup(cancel)
	return ctx
}

func wantError(t *testing.T, err error, want, hint string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
	if got := cluster.HintOf(err); got != hint {
		t.Errorf("hint\n%s\nwant\n%s", got, hint)
	}
}

// hidden replaces the addresses of the servers, which are others each time.
func (f *fakeCluster) hidden(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for i, server := range f.servers {
		text = strings.ReplaceAll(text, server.Addr, fmt.Sprintf("ADDR%d", i))
	}
	return cluster.WithHint(errors.New(text), "%s", cluster.HintOf(err))
}
