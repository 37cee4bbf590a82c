package nodegroup

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// crashable is a cluster of three nodes of which two run one service each; what is
// done to it changes what it says of itself.
type crashable struct {
	*fakeCluster
	mu   sync.Mutex
	mon  string
	did  []string          // to machines and, but for looking, on nodes
	then map[string]string // what it says after something was done
}

func newCrashable(t *testing.T) *crashable {
	t.Helper()
	c := &crashable{fakeCluster: newFakeCluster(t, 3), mon: monText(t, "running"), then: map[string]string{}}
	c.replies = func(node, cmd string) (string, bool) {
		if strings.HasPrefix(cmd, "cibadmin --query") {
			return "", false
		}
		if !strings.HasPrefix(cmd, "crm_mon ") {
			c.do(cmd[:min(len(cmd), 100)], node)
			return "", true
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.mon, true
	}
	return c
}

func monText(t *testing.T, state string) string {
	t.Helper()
	text, err := os.ReadFile("../internal/cib/testdata/mon-" + state + "-2.1.5.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (c *crashable) do(what, node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did = append(c.did, what+" "+node)
	if mon, ok := c.then[what]; ok {
		c.mon = mon
	}
}

// crashProvider switches the machines of a crashable.
type crashProvider struct {
	*fakeProvider
	c *crashable
}

func (p crashProvider) Kill(_ context.Context, m provider.Machine) error {
	p.c.do("kill", m.Name)
	return p.fault
}

func (p crashProvider) Stop(context.Context, provider.Machine) error { return p.fault }

func (p crashProvider) Start(ctx context.Context, m provider.Machine) error {
	p.c.do("start", m.Name)
	return ctx.Err()
}

func (c *crashable) test(ctx context.Context, t *testing.T, options CrashOptions) (CrashReport, error) {
	t.Helper()
	g := c.open(t)
	g.provider = crashProvider{c.provider, c}
	if options.Timeout == 0 {
		options.Timeout = 10 * time.Second
	}
	return g.CrashTest(ctx, options)
}

// TestCrashPower kills the node of a service that can run nowhere else.
func TestCrashPower(t *testing.T) {
	c := newCrashable(t)
	c.then["kill"], c.then["start"] = monText(t, "node-killed"), c.mon
	_, err := c.test(bounded(t), t, CrashOptions{Node: "2", Kind: CrashPower})
	wantError(t, err, `crash test of kind power on node2: a crash test would cost too much: service "pinned" can run on node2 only`,
		"choose another node with --node, or accept it with --yes")
	if !errors.Is(err, ErrCrashRisk) || len(c.did) > 0 {
		t.Errorf("refused with %v after %v", err, c.did)
	}
	asked := ""
	report, err := c.test(bounded(t), t, CrashOptions{Node: "2", Kind: CrashPower, Risk: true,
		Confirm: func(node cluster.Node) error { asked = node.Name; return nil }})
	if err != nil || asked != "node2" {
		t.Fatalf("asked about %q: %v", asked, err)
	}
	if diff := cmp.Diff([]string{"kill node2", "start node2"}, c.did); diff != "" {
		t.Error(diff)
	}
	if report.Noticed == nil || report.Back == nil || *report.Back < *report.Noticed || report.Services[0].Restarted == nil {
		t.Errorf("it did not see all of it: %+v", report)
	}
	report.Noticed, report.Back, report.Services[0].Restarted = nil, nil, nil
	want := CrashReport{Cluster: "world", Node: "node2", Kind: CrashPower, Broke: "its power was cut", State: cluster.Online,
		Services: []CrashedService{{ID: "pinned", From: "node2", To: "node2", Bound: true}}, Touched: []string{}, Faults: []string{}}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
}

// TestCrashMends mends what it broke when it is interrupted, and not what nobody
// consented to.
func TestCrashMends(t *testing.T) {
	c := newCrashable(t)
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(bounded(t))
	c.env.Progress = func(line string) {
		if strings.HasSuffix(line, "its power was cut") {
			cancel(interrupted)
		}
	}
	_, err := c.test(ctx, t, CrashOptions{Node: "2", Kind: CrashPower, Risk: true})
	wantError(t, err, "crash test on node2: interrupted; what it broke is mended", "")
	if want := []string{"kill node2", "start node2"}; !slices.Equal(c.did, want) {
		t.Errorf("it did %q", c.did)
	}
	no := errors.New("no")
	_, err = c.test(bounded(t), t, CrashOptions{Node: "2", Kind: CrashPower, Risk: true, Confirm: func(cluster.Node) error { return no }})
	if !errors.Is(err, no) || len(c.did) != 2 {
		t.Errorf("after a no it did %q: %v", c.did[2:], err)
	}
}

func TestCrashLeaveBroken(t *testing.T) {
	c := newCrashable(t)
	c.then["kill"] = monText(t, "node-killed")
	report, err := c.test(bounded(t), t, CrashOptions{Node: "2", Kind: CrashPower, Risk: true, LeaveBroken: true})
	if err != nil || len(report.Faults) > 0 || report.State != cluster.Offline || !slices.Equal(c.did, []string{"kill node2"}) {
		t.Errorf("it did %q: %+v (%v)", c.did, report, err)
	}
	if want := "sirikata-cluster local nodes start world node2"; report.Next != want {
		t.Errorf("next is %q", report.Next)
	}
}

// TestCrashProcess kills a process of the node that runs most services.
func TestCrashProcess(t *testing.T) {
	const kill = "systemctl kill --kill-whom=main --signal=KILL sirikata-run.service"
	c := newCrashable(t)
	c.then[kill] = strings.ReplaceAll(c.mon, `call="6"`, `call="16"`)
	report, err := c.test(bounded(t), t, CrashOptions{Kind: CrashProcess})
	if err != nil || len(report.Faults) > 0 || report.Noticed == nil || report.Fenced != nil || report.Services[0].Restarted == nil {
		t.Errorf("%+v (%v)", report, err)
	}
	if want := []string{kill + " node0"}; !slices.Equal(c.did, want) {
		t.Errorf("it did %q", c.did)
	}
}

// TestCrashDisk kills a process while the disk is full, and gives the disk its room
// back before it starts anew what ran there meanwhile.
func TestCrashDisk(t *testing.T) {
	const kill = "systemctl kill --kill-whom=main --signal=KILL sirikata-run.service"
	const restart = "cibadmin --modify --scope resources --xml-pipe"
	c := newCrashable(t)
	c.then[kill] = strings.ReplaceAll(c.mon, `call="6"`, `call="16"`)
	c.then[restart] = strings.ReplaceAll(c.mon, `call="6"`, `call="26"`)
	report, err := c.test(bounded(t), t, CrashOptions{Kind: CrashDisk})
	if err != nil || len(report.Faults) > 0 || report.Noticed == nil || report.Fenced != nil || report.Services[0].To != "node0" {
		t.Errorf("%+v (%v)", report, err)
	}
	if want := `its disk was full, and the main process of service "run" was killed`; report.Broke != want {
		t.Errorf("it says %q", report.Broke)
	}
	if len(c.did) != 4 || !strings.HasPrefix(c.did[0], "sh -c ") || !strings.HasPrefix(c.did[2], "sh -c ") {
		t.Fatalf("it did %q", c.did)
	}
	if c.did[1] != kill+" node0" || !strings.HasPrefix(c.did[3], restart) {
		t.Errorf("it did %q and then %q", c.did[1], c.did[3])
	}
}

// TestCrashCut mends a cut that nobody noticed, which is a fault.
func TestCrashCut(t *testing.T) {
	c := newCrashable(t)
	report, err := c.test(bounded(t), t, CrashOptions{Node: "node0", Kind: CrashCut, Timeout: time.Second})
	want := []string{"nobody noticed the loss of node0", `service "run" does not run again`, "node0 is not online again"}
	if diff := cmp.Diff(want, report.Faults); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if len(c.did) != 2 || !strings.HasPrefix(c.did[0], "sh -c ") || !strings.HasSuffix(c.did[1], " node0") {
		t.Errorf("it did %q", c.did)
	}
}

func TestCrashUnsupported(t *testing.T) {
	c := newCrashable(t)
	for kind, want := range map[CrashKind]string{
		CrashFreeze: "crash test of kind freeze: not supported by this type of cluster",
	} {
		_, err := c.test(bounded(t), t, CrashOptions{Kind: kind})
		wantError(t, err, want, "the kinds that work are power, cut, process, disk")
		if !errors.Is(err, provider.ErrNotSupported) {
			t.Errorf("%v is not %v", err, provider.ErrNotSupported)
		}
	}
	if len(c.did) > 0 {
		t.Errorf("it did %q", c.did)
	}
}
