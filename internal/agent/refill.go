package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/placement"
)

// refillLimit is how long all of a refill may take; the next one comes soon.
const refillLimit = 30 * time.Second

// refiller gives services other candidates for those that are offline, so that a
// service is not lost when, one after the other, all nodes die that it began
// with. It is called every now and then on each full node, and does something on
// one of them only: the DC.
type refiller struct {
	name  func() (string, error)            // of this node
	nodes func() (cluster.NodesFile, error) // of its cluster
	// run runs one of Pacemaker's tools and returns what it prints.
	run func(ctx context.Context, input []byte, argv ...string) ([]byte, error)
}

// runRefill is the subcommand. It returns the exit status.
func runRefill(ctx context.Context, p Process) int {
	ctx, cancel := context.WithTimeout(ctx, refillLimit)
	defer cancel()
	r := refiller{
		name: func() (string, error) {
			node, err := readNodeFile(cluster.NodeFilePath)
			return node.Name, err
		},
		nodes: func() (nodes cluster.NodesFile, err error) {
			text, err := os.ReadFile(cluster.NodesFilePath)
			if err == nil {
				err = json.Unmarshal(text, &nodes)
			}
			return nodes, err
		},
		run: runTool,
	}
	changed, err := r.refill(ctx)
	for _, service := range changed {
		fmt.Fprintf(p.Stdout, "service %q may run on other nodes for those that are offline\n", service)
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, "sirikata-node: error: refill the nodes of services:", err)
		return 1
	}
	return 0
}

// refill returns the services that it changed.
func (r refiller) refill(ctx context.Context) (changed []string, err error) {
	decides, err := r.decides(ctx)
	if err != nil || !decides {
		return nil, err
	}
	change, err := r.change(ctx)
	if err != nil || change.Empty() {
		return nil, err
	}
	text, err := xml.Marshal(change)
	if err != nil {
		return nil, fmt.Errorf("encode resources: %w", err)
	}
	_, err = r.run(ctx, text, "cibadmin", "--modify", "--scope", "resources", "--xml-pipe")
	if err != nil {
		return nil, err
	}
	return change.Services(), nil
}

// decides reports whether this node is the DC.
func (r refiller) decides(ctx context.Context) (bool, error) {
	name, err := r.name()
	if err != nil {
		return false, err
	}
	dc, err := r.run(ctx, nil, "crmadmin", "--dc_lookup", "--quiet")
	return strings.TrimSpace(string(dc)) == name, err
}

// change is what is to be changed now.
func (r refiller) change(ctx context.Context) (change cib.Change, err error) {
	nodes, err := r.nodes()
	if err != nil {
		return change, err
	}
	text, err := r.run(ctx, nil, cib.AskMon()...)
	if err != nil {
		return change, err
	}
	mon, err := cib.ParseMon(text)
	if err != nil || !mon.DC.Quorum {
		return change, err
	}
	if text, err = r.run(ctx, nil, cib.AskResources()...); err != nil {
		return change, err
	}
	resources, err := cib.ParseResources(text)
	if err != nil {
		return change, err
	}
	return placement.New(nodes, resources, mon).Refill()
}

func runTool(ctx context.Context, input []byte, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", argv[0], err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}
