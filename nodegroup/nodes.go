package nodegroup

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// BuildImage builds the image from which the nodes of clusters of a type are
// made, unless it is there and rebuild is false.
func BuildImage(ctx context.Context, t cluster.Type, rebuild bool, log io.Writer) (name string, built bool, err error) {
	p, err := providerOf(t)
	if err != nil {
		return "", false, err
	}
	builder, ok := p.(provider.ImageBuilder)
	if !ok {
		return "", false, provider.ErrNotSupported
	}
	return builder.BuildImage(ctx, rebuild, log)
}

// Nodes asks the provider for the nodes and, where one answers, the cluster for
// their state. A cluster that was not booted has none.
func (g *NodeGroup) Nodes(ctx context.Context) ([]cluster.Node, error) {
	machines, err := g.provider.Find(ctx, g.spec)
	if err != nil {
		return nil, err
	}
	nodes := g.toNodes(machines)
	if len(nodes) == 0 {
		return nodes, nil
	}
	if g.spec.Engine == cluster.Direct {
		err := g.openPool(machines)
		if err == nil {
			_ = g.reachable(ctx, nodes) // one that does not answer is offline
			err = ctx.Err()
		}
		return nodes, err
	}
	status, err := g.Status(ctx)
	if err != nil {
		// That no node answers is an answer: they are all offline.
		return nodes, ctx.Err()
	}
	for i := range nodes {
		for _, known := range status.Nodes {
			if known.Name == nodes[i].Name {
				nodes[i].State = known.State
			}
		}
	}
	return nodes, nil
}

// findNode returns the node that the user means: an index from 0, a name, an
// id or the beginning of one, or an address.
func (g *NodeGroup) findNode(nodes []cluster.Node, word string) (cluster.Node, error) {
	index, notIndex := strconv.Atoi(word)
	hosts := map[string]int{}
	for _, node := range nodes {
		hosts[hostOf(node)]++
	}
	known := make([]string, 0, len(nodes))
	for _, node := range nodes {
		known = append(known, node.Name)
		if word == "" {
			continue // a node that is off may lack an address
		}
		// Nodes that are reached through ports of one host are not named by it.
		byHost := word == hostOf(node) && hosts[word] == 1
		byID := len(word) >= 12 && strings.HasPrefix(node.ID, word)
		if notIndex == nil && index == node.Index || byID || word == node.Name ||
			word == node.ID || word == node.Address || word == node.Connect || byHost || word == node.FQDN {
			return node, nil
		}
	}
	return cluster.Node{}, &cluster.NotFoundError{Kind: "node", Name: word, In: g.spec.Name, Known: known}
}

// hostOf is the host of a node's connect address; empty if it has none.
func hostOf(node cluster.Node) string {
	host, _, err := net.SplitHostPort(node.Connect)
	if err != nil {
		return ""
	}
	return host
}
