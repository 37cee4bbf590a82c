package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// CrashKind is what a crash test breaks.
type CrashKind string

// What a crash test can break.
const (
	CrashPower  CrashKind = "power"  // the node's power is cut
	CrashFreeze CrashKind = "freeze" // the node hangs
	CrashCut    CrashKind = "cut"    // the node is cut off from the network, but for SSH
	// The main process of one service is killed or, where no service runs, the
	// Pacemaker daemon that does what the cluster decides.
	CrashProcess CrashKind = "process"
	// The same, while the node's disk is full, as far as the cluster and its services
	// write there.
	CrashDisk CrashKind = "disk"
)

// CrashKinds are all of them.
func CrashKinds() []CrashKind {
	return []CrashKind{CrashPower, CrashFreeze, CrashCut, CrashProcess, CrashDisk}
}

// LosesNode reports whether the cluster has to take the node for lost. It need not
// when a process dies there that is started again at once.
func (k CrashKind) LosesNode() bool { return k != CrashProcess && k != CrashDisk }

// CrashOptions say what CrashTest breaks, and how careful it is.
type CrashOptions struct {
	// Node is any word that names a node; empty means the node that runs most
	// services, or, where none runs, a full node that is not the DC.
	Node string
	Kind CrashKind
	// Timeout is how long services may take to run again, and then how long the
	// mended node may take to be online again.
	Timeout time.Duration
	// Risk accepts that the quorum is lost, and that services stop which cannot
	// run elsewhere.
	Risk bool
	// LeaveBroken leaves to the caller what the test would mend at its end.
	LeaveBroken bool
	// Confirm is called when all is checked and nothing is broken yet; its error
	// ends the test. nil stands for consent.
	Confirm func(node cluster.Node) error
}

// ErrCrashRisk says that a crash test would cost more than it should.
var ErrCrashRisk = errors.New("a crash test would cost too much")

// crash is one crash test.
type crash struct {
	group    *NodeGroup
	options  CrashOptions
	victim   cluster.Node
	machine  provider.Machine
	engine   engine.Engine // on the nodes that are not broken
	affected []CrashedService
	status   cluster.Status // when the node was chosen
	service  string         // whose process is killed; empty for all that is of the node
}

// CrashTest breaks one thing, watches what the cluster makes of it, and mends it,
// also if ctx ends meanwhile. It is an error not to be able to do so; that the
// cluster did not do well is none, and stands in the report's Faults. Nothing was
// broken if the error is an *cluster.InvalidError, a *cluster.NotFoundError,
// ErrCrashRisk, cluster.ErrLocked or that of Confirm.
func (g *NodeGroup) CrashTest(ctx context.Context, options CrashOptions) (report CrashReport, err error) {
	if err := options.validate(); err != nil {
		return report, err
	}
	if err := g.needPacemaker("crash test"); err != nil {
		return report, err
	}
	unlock, err := g.store.Lock(g.spec.Name, "crash test")
	if err != nil {
		return report, err
	}
	defer unlock()
	c := &crash{group: g, options: options}
	if err := c.choose(ctx); err != nil {
		return report, err
	}
	fault, err := c.fault()
	if err != nil {
		return report, err
	}
	if err := c.weigh(); err != nil {
		return report, err
	}
	pool, err := c.observe(ctx)
	if err != nil {
		return report, err
	}
	defer pool.Close() //nolint:errcheck // its connections were for looking only
	before, err := c.engine.Status(ctx)
	if err != nil {
		return report, err
	}
	if options.Confirm != nil {
		if err := options.Confirm(c.victim); err != nil {
			return report, err
		}
	}
	return c.run(ctx, fault, before)
}

func (o CrashOptions) validate() error {
	var faults []cluster.Fault
	if !slices.Contains(CrashKinds(), o.Kind) {
		var known []string
		for _, kind := range CrashKinds() {
			known = append(known, string(kind))
		}
		faults = append(faults, cluster.Fault{Field: "kind", Problem: fmt.Sprintf("%q is not one of %s", o.Kind, strings.Join(known, ", "))})
	}
	if o.Timeout <= 0 {
		faults = append(faults, cluster.Fault{Field: "time-out", Problem: fmt.Sprintf("%v is not more than 0", o.Timeout)})
	}
	if len(faults) == 0 {
		return nil
	}
	return &cluster.InvalidError{What: "crash test", Faults: faults}
}

// choose finds the node, what runs on it, and whether it may be broken.
func (c *crash) choose(ctx context.Context) error {
	nodes, e, err := c.group.connect(ctx)
	if err != nil {
		return err
	}
	status, err := e.Status(ctx)
	if err != nil {
		return err
	}
	services, err := e.Services(ctx)
	if err != nil {
		return err
	}
	c.victim = crashNode(status)
	if c.options.Node != "" {
		found, err := c.group.findNode(nodes, c.options.Node)
		if err != nil {
			return err
		}
		c.victim = status.Nodes[slices.IndexFunc(status.Nodes, func(n cluster.Node) bool { return n.Name == found.Name })]
	}
	if c.victim.State != cluster.Online {
		return cluster.WithHint(fmt.Errorf("crash test on %s: it is %s already", c.victim.Name, c.victim.State),
			"boot brings back what is off: sirikata-cluster %s nodes boot %s", c.group.spec.Type, c.group.spec.Name)
	}
	c.status = status
	c.affected = affected(status, services, c.victim.Name, c.options.Kind)
	if !c.options.Kind.LosesNode() && len(c.affected) > 0 {
		c.service = c.affected[0].ID
	}
	c.machine, err = c.group.machine(ctx, c.victim.Name)
	return err
}

// weigh refuses what nothing could watch, and what would cost too much.
func (c *crash) weigh() error {
	what := fmt.Sprintf("crash test of kind %s on %s", c.options.Kind, c.victim.Name)
	others := func(n cluster.Node) bool {
		return n.Name != c.victim.Name && n.State == cluster.Online && n.Role == cluster.Full
	}
	if c.service == "" && !slices.ContainsFunc(c.status.Nodes, others) {
		return fmt.Errorf("%s: no other full node is online, which could notice it", what)
	}
	risks := risks(c.status, c.victim, c.affected, c.service)
	if len(risks) == 0 || c.options.Risk {
		return nil
	}
	return cluster.WithHint(fmt.Errorf("%s: %w: %s", what, ErrCrashRisk, strings.Join(risks, "; ")),
		"choose another node with --node, or accept it with --yes")
}

// observe makes an engine that asks the nodes which the fault leaves alone.
func (c *crash) observe(ctx context.Context) (*remote.Pool, error) {
	g := c.group
	machines, err := g.find(ctx)
	if err != nil {
		return nil, err
	}
	alone := slices.DeleteFunc(slices.Clone(machines), func(m provider.Machine) bool {
		return !m.Running || m.ID == c.machine.ID && c.service == ""
	})
	hosts, err := g.hosts(alone)
	if err != nil {
		return nil, err
	}
	pool := remote.NewPool(hosts, g.hostKeys())
	c.engine, err = g.engines(g.spec, g.toNodes(machines), pool, g.env.progress)
	return pool, err
}
