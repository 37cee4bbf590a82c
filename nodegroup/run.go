package nodegroup

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Result is what a command printed on one node.
type Result struct {
	Node           string
	Stdout, Stderr []byte
	// Err is nil if the command exited 0 there.
	Err error
}

// RunAll runs a command on all nodes at once and returns the results in the
// order of the nodes. A node that does not answer costs its own time-out only.
func (g *NodeGroup) RunAll(ctx context.Context, argv []string) ([]Result, error) {
	nodes, err := g.join(ctx)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(nodes))
	waits := newWait(nodes, g.env.progress)
	defer waits.end()
	err = remote.Each(ctx, nodes, 0, func(ctx context.Context, node cluster.Node) error {
		result := Result{Node: node.Name}
		client, err := g.pool.Client(ctx, node.Name)
		if err == nil {
			var out remote.Result
			out, err = client.Run(ctx, remote.Command{Argv: argv})
			result.Stdout, result.Stderr = out.Stdout, out.Stderr
		}
		result.Err = err
		waits.answered(node.Name)
		for i := range nodes {
			if nodes[i].Name == node.Name {
				results[i] = result
			}
		}
		return nil
	})
	return results, err
}

// longWait is after what time the nodes that are waited for are named.
const longWait = time.Second

// wait is for the answers of nodes.
type wait struct {
	mu    sync.Mutex
	left  []string
	timer *time.Timer
}

// newWait says after longWait which nodes have not answered yet, if some have.
func newWait(nodes []cluster.Node, say func(string)) *wait {
	w := &wait{}
	for _, node := range nodes {
		w.left = append(w.left, node.Name)
	}
	w.timer = time.AfterFunc(longWait, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := len(nodes) - len(w.left); n > 0 && len(w.left) > 0 {
			say(fmt.Sprintf("%d of %d nodes are done, waiting for %s", n, len(nodes), strings.Join(w.left, ", ")))
		}
	})
	return w
}

func (w *wait) answered(node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = slices.DeleteFunc(w.left, func(name string) bool { return name == node })
}

// end keeps it from saying any more.
func (w *wait) end() {
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = nil
}

// Run runs a command on one node. What it prints goes to stdout and stderr
// while it runs. A command that exits otherwise than 0 is an *ExitError.
func (g *NodeGroup) Run(ctx context.Context, node string, argv []string, stdin io.Reader, stdout, stderr io.Writer) error {
	nodes, err := g.join(ctx)
	if err != nil {
		return err
	}
	found, err := g.findNode(nodes, node)
	if err != nil {
		return err
	}
	client, err := g.pool.Client(ctx, found.Name)
	if err != nil {
		return err
	}
	_, err = client.Run(ctx, remote.Command{Argv: argv, Stdin: stdin, Stdout: stdout, Stderr: stderr})
	return err
}

// ExitError is a remote command that exited otherwise than 0.
type ExitError = remote.ExitError

// ShellArgs is the command line of the system's ssh that opens a prompt on a
// node, with the key and the host keys of the cluster.
func (g *NodeGroup) ShellArgs(ctx context.Context, node string) ([]string, error) {
	machine, err := g.machine(ctx, node)
	if err != nil {
		return nil, err
	}
	hosts, err := g.hosts([]provider.Machine{machine})
	if err != nil {
		return nil, err
	}
	host := hosts[0]
	if g.spec.Type == cluster.AdHoc {
		return remote.Prompt(ctx, host, g.hostKeys(), g.store.KnownHostsFile(g.spec.Name))
	}
	if err := g.hostKeys().EnsurePinned(host); err != nil {
		return nil, err
	}
	if err := g.authorizeUnknown(ctx, []provider.Machine{machine}); err != nil {
		return nil, err
	}
	return remote.InteractiveArgs(host, g.store.IdentityFile(g.spec.Name), g.store.KnownHostsFile(g.spec.Name)), nil
}

// machine asks the provider for the machine of a node.
func (g *NodeGroup) machine(ctx context.Context, node string) (provider.Machine, error) {
	machines, err := g.find(ctx)
	if err != nil {
		return provider.Machine{}, err
	}
	found, err := g.findNode(g.toNodes(machines), node)
	if err != nil {
		return provider.Machine{}, err
	}
	for _, machine := range machines {
		if machine.ID == found.ID {
			return machine, nil
		}
	}
	return provider.Machine{}, g.noNodes()
}

// Trusted is the outcome of Trust: SHA-256 fingerprints of host keys.
type Trusted struct {
	Node  string
	Known string // the key trusted until now; empty if there was none
	Now   string // the key that the node offers, and that is trusted from now on
}

// OfferedKey asks a node for its host key and compares it with the one that is
// trusted, without trusting anything.
func (g *NodeGroup) OfferedKey(ctx context.Context, node string) (Trusted, ssh.PublicKey, error) {
	machine, err := g.machine(ctx, node)
	if err != nil {
		return Trusted{}, nil, err
	}
	hosts, err := g.hosts([]provider.Machine{machine})
	if err != nil {
		return Trusted{}, nil, err
	}
	if hosts[0].Here {
		return Trusted{}, nil, fmt.Errorf("node %s is this machine: it is reached without SSH, and needs no host key", machine.Name)
	}
	offered, err := remote.FetchHostKey(ctx, hosts[0])
	if err != nil {
		return Trusted{}, nil, &cluster.NodeError{Node: machine.Name, Err: err}
	}
	trusted := Trusted{Node: machine.Name, Now: ssh.FingerprintSHA256(offered)}
	known, err := g.hostKeys().Expected(ctx, hosts[0])
	if err != nil {
		return Trusted{}, nil, &cluster.NodeError{Node: machine.Name, Err: err}
	}
	if known != nil {
		trusted.Known = ssh.FingerprintSHA256(known)
	}
	return trusted, offered, nil
}

// Trust accepts a host key, as OfferedKey returned it, for a node.
func (g *NodeGroup) Trust(node string, key ssh.PublicKey) error { return g.hostKeys().Pin(node, key) }
