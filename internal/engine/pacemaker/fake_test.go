package pacemaker

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// The lines by which Pacemaker is asked.
const (
	askMon       = "crm_mon --one-shot --output-as=xml"
	askResources = "cibadmin --query --scope resources"
	askNodes     = "cibadmin --query --no-children --xpath '" // and so on
	askHistory   = "cibadmin --query --xpath '//lrm_resource["
	askTransient = "cibadmin --query --xpath //transient_attributes"
	create       = "cibadmin --create --scope resources --xml-pipe"
	modify       = "cibadmin --modify --scope resources --xml-pipe"
)

// notConnected is what the tools of Pacemaker 2.1.5 do where it does not run.
const notConnected = 102

// phase is what a cluster says until it is changed as expected.
type phase struct {
	mon       []string // outputs of crm_mon; the last one again and again
	history   string   // of the services that are asked for; empty if it tells nothing
	resources string
	transient string
	writes    []write // end the phase, all of them, in any order
	onMon     func()  // called at each look at the state
	logs      map[string]string

	looked int
}

// write is a command that changes the cluster.
type write struct {
	line, stdin, stderr string
	code                int
}

// fake is a cluster of nodes that answer as the phases say. Any other command
// fails the test, and so does a phase that does not come.
type fake struct {
	t      *testing.T
	engine *Engine
	nodes  []*remotetest.Server
	down   map[string]bool // nodes whose Pacemaker does not run
	bare   map[string]bool // nodes that were never booted
	split  map[string]bool // nodes that see no quorum

	loads map[string]string // what sirikata-node says of its load, by the window

	mu        sync.Mutex
	longLooks int
	phases    []phase
	asked     map[string]int // for the state, by node
}

func newFake(t *testing.T, size int, phases ...phase) *fake {
	t.Helper()
	f := &fake{t: t, phases: phases, down: map[string]bool{}, split: map[string]bool{}, asked: map[string]int{}}
	spec := cluster.Spec{Name: "world", Type: cluster.Local, Engine: cluster.Pacemaker, Size: size, TokenProfile: cluster.LAN}
	var hosts []remote.Host
	var nodes []cluster.Node
	for i := range size {
		name := fmt.Sprintf("node%d", i)
		server := remotetest.Start(t, remotetest.Config{Handler: func(cmd string, stdin io.Reader, stdout, stderr io.Writer) int {
			return f.answer(name, cmd, stdin, stdout, stderr)
		}})
		f.nodes = append(f.nodes, server)
		hosts = append(hosts, server.Host(name))
		nodes = append(nodes, cluster.Node{Index: i, Name: name, ID: "id-" + name, Role: cluster.Full, Capabilities: []string{}})
	}
	pool := remote.NewPool(hosts, remote.NewHostKeys("world", filepath.Join(t.TempDir(), "pins"), ""))
	t.Cleanup(func() { _ = pool.Close() })
	t.Cleanup(f.finished)
	f.engine = New(spec, nodes, pool, func(string) {})
	f.engine.followed = time.Millisecond
	return f
}

// finished fails the test if something that was expected did not happen.
func (f *fake) finished() {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.phases[0]
	if len(f.phases) > 1 || len(last.writes) > 0 || last.looked < len(last.mon) {
		f.t.Errorf("%d phases did not come, and %+v is unfinished", len(f.phases)-1, last)
	}
}

func (f *fake) answer(node, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	input, _ := io.ReadAll(stdin)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bare[node] {
		return exitNoProgram
	}
	if f.down[node] {
		_, _ = io.WriteString(stderr, "Could not connect to the CIB: Transport endpoint is not connected\n")
		return notConnected
	}
	now := &f.phases[0]
	switch line {
	case askMon:
		return f.mon(node, now, stdout)
	case askResources:
		return say(stdout, now.resources)
	case askTransient:
		if now.transient == "" {
			_, _ = io.WriteString(stderr, "Call cib_query failed: No such device or address\n")
			return cib.ExitNoSuch
		}
		return say(stdout, now.transient)
	}
	if args, ok := strings.CutPrefix(line, cluster.NodeProgramPath+" load"); ok {
		return f.load(args, stdout)
	}
	switch {
	case strings.HasPrefix(line, askNodes):
		return f.glance(node, now, stdout)
	case strings.HasPrefix(line, askHistory):
		return say(stdout, cmp.Or(now.history, underWay(line)))
	}
	if text, ok := now.logs[node+": "+line]; ok {
		return say(stdout, text)
	}
	return f.write(node, line, string(input), stderr)
}

// load is what a node takes; one that was not booted for long does not know the
// question.
func (f *fake) load(window string, stdout io.Writer) int {
	text, ok := f.loads[window]
	if window != "" {
		f.longLooks++
	}
	if !ok {
		return 2
	}
	return say(stdout, text)
}

var historyIDs = regexp.MustCompile(`service-[a-z0-9._-]+`)

// underWay is the history of services that tells nothing, so that the state of the
// whole cluster is what counts.
func underWay(line string) string {
	text := "<xpath-query>"
	for _, id := range historyIDs.FindAllString(line, -1) {
		text += `<lrm_resource id="` + id + `"><lrm_rsc_op operation="start" rc-code="193" call-id="-1"/></lrm_resource>`
	}
	return text + "</xpath-query>"
}

// glance says of the nodes what crm_mon would.
func (f *fake) glance(node string, now *phase, stdout io.Writer) int {
	var text strings.Builder
	f.mon(node, now, &text)
	mon, err := cib.ParseMon([]byte(text.String()))
	if err != nil {
		f.t.Error(err)
	}
	quorum := map[bool]int{true: 1}[mon.DC.Quorum]
	fmt.Fprintf(stdout, `<xpath-query><cib have-quorum="%d" dc-uuid="1"/>`, quorum)
	for _, n := range mon.Nodes {
		fmt.Fprintf(stdout, `<node_state id="%s" uname="%s" in_ccm="%v" crmd="online" join="member"/>`, n.ID, n.Name, n.Online)
	}
	return say(stdout, "</xpath-query>")
}

func (f *fake) mon(node string, now *phase, stdout io.Writer) int {
	f.asked[node]++
	text := now.mon[min(now.looked, len(now.mon)-1)]
	now.looked++
	if f.split[node] {
		text = strings.ReplaceAll(text, `with_quorum="true"`, `with_quorum="false"`)
	}
	if now.onMon != nil {
		now.onMon()
	}
	return say(stdout, text)
}

func (f *fake) write(node, line, input string, stderr io.Writer) int {
	now := &f.phases[0]
	i := slices.IndexFunc(now.writes, func(w write) bool { return w.line == line })
	if i < 0 || now.looked < len(now.mon) {
		f.t.Errorf("%s: unexpected (expected %+v): %s", node, now.writes, line)
		return 127
	}
	w := now.writes[i]
	if input != w.stdin {
		f.t.Errorf("%s: %s got\n%s\nwant\n%s", node, line, input, w.stdin)
	}
	_, _ = io.WriteString(stderr, w.stderr)
	now.writes = slices.Delete(now.writes, i, i+1)
	if len(now.writes) == 0 && len(f.phases) > 1 {
		f.phases = f.phases[1:]
	}
	return w.code
}

func say(w io.Writer, text string) int {
	_, _ = io.WriteString(w, text)
	return 0
}

// recorded is what Pacemaker 2.1.5 said, of which package cib has the tests.
func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../cib/testdata/" + name + "-2.1.5.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// state is a phase in which nothing happens.
func state(t testing.TB, mon, resources string) phase {
	t.Helper()
	return phase{mon: []string{recorded(t, "mon-"+mon)}, resources: recorded(t, "resources-"+resources),
		transient: recorded(t, "transient-empty")}
}

// altered is a text in which one thing is another.
func altered(t testing.TB, text, before, after string) string {
	t.Helper()
	if strings.Count(text, before) != 1 {
		t.Fatalf("there are %d of %q", strings.Count(text, before), before)
	}
	return strings.Replace(text, before, after, 1)
}
