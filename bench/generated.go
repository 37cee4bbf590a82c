package main

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// generated is a cluster that nobody could run on one machine: all nodes are
// online, all services run, and one more was just added.
type generated struct {
	nodes, full, services int
}

// placed is a resource, and the nodes that may run it, by index. The first one
// does; on the others it was looked for.
type placed struct {
	cib.Primitive
	nodes []int
}

// part is what configurations in XML are read for.
type part struct {
	Options   cib.AttributeSet `xml:"crm_config>cluster_property_set"`
	Resources []cib.Primitive  `xml:"resources>primitive"`
}

// document is the cluster's CIB. Its configuration is made by what makes that of
// real clusters; its status has the form that Pacemaker gives it.
func (g generated) document() (string, error) {
	first, err := cib.First()
	if err != nil {
		return "", err
	}
	settings, err := g.settings()
	if err != nil {
		return "", err
	}
	resources := g.infrastructure(settings.Resources)
	for i := range g.services {
		service, err := g.service(i)
		if err != nil {
			return "", err
		}
		resources = append(resources, service)
	}
	status, err := g.status(resources)
	if err != nil {
		return "", err
	}
	added, err := g.service(g.services)
	if err != nil {
		return "", err
	}
	return g.filled(first, settings.Options, append(resources, added), status)
}

// settings are what a cluster of this size has besides services.
func (g generated) settings() (part, error) {
	settings := cib.Settings{Size: g.nodes, OneMachine: true, Fences: []cib.FenceDevice{{
		Agent: "fence_sirikata", Parameters: map[string]string{"server": "10.0.0.2:7411"}}}}
	for i := g.full; i < g.nodes; i++ {
		address := fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)
		settings.Remotes = append(settings.Remotes, cib.RemoteNode{Name: cluster.NodeName(i), Address: address})
	}
	text, err := settings.Fragment()
	if err != nil {
		return part{}, err
	}
	var read part
	return read, xml.Unmarshal(text, &read)
}

// infrastructure spreads what is no service over the full nodes.
func (g generated) infrastructure(resources []cib.Primitive) []placed {
	var all []placed
	for i, resource := range resources {
		var nodes []int
		for rank := range g.full {
			nodes = append(nodes, (i+rank)%g.full)
		}
		all = append(all, placed{resource, nodes})
	}
	return all
}

// candidatesOfAny is how many nodes a service on any gets in a large cluster.
const candidatesOfAny = 3

// service is a service that may run on some nodes of all.
func (g generated) service(i int) (placed, error) {
	var nodes []int
	var names []string
	for rank := range candidatesOfAny {
		// Not neighbours: two services that share a node mostly share no other.
		node := (i + rank*(i/g.nodes+1)) % g.nodes
		for slices.Contains(nodes, node) {
			node = (node + 1) % g.nodes
		}
		nodes, names = append(nodes, node), append(names, cluster.NodeName(node))
	}
	primitive, err := cib.NewPrimitive(sleeper(fmt.Sprintf("s%d", i)), names)
	return placed{primitive, nodes}, err
}

// filled is the first CIB with everything in it.
func (g generated) filled(first string, options cib.AttributeSet, resources []placed, status string) (string, error) {
	var was part
	if err := xml.Unmarshal([]byte(first), &was); err != nil {
		return "", err
	}
	for _, pair := range was.Options.Pairs {
		if !slices.ContainsFunc(options.Pairs, func(a cib.Attribute) bool { return a.Name == pair.Name }) {
			options.Pairs = append(options.Pairs, pair)
		}
	}
	set, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"cluster_property_set"`
		cib.AttributeSet
	}{AttributeSet: options})
	if err != nil {
		return "", err
	}
	var primitives, nodes strings.Builder
	for _, resource := range resources {
		text, err := xml.Marshal(resource.Primitive)
		if err != nil {
			return "", err
		}
		primitives.Write(text)
	}
	for i := range g.full {
		fmt.Fprintf(&nodes, `<node id="%d" uname="%s"/>`, i+1, cluster.NodeName(i))
	}
	return strings.NewReplacer(
		"<cib ", `<cib have-quorum="1" dc-uuid="1" crm_feature_set="`+featureSet+`" `,
		between(first, "<crm_config>", "</crm_config>"), string(set),
		"<nodes></nodes>", "<nodes>"+nodes.String()+"</nodes>",
		"<resources></resources>", "<resources>"+primitives.String()+"</resources>",
		"<status></status>", status,
	).Replace(first), nil
}

// between is what stands between two words; empty if they are not there.
func between(text, begin, end string) string {
	_, rest, _ := strings.Cut(text, begin)
	found, _, _ := strings.Cut(rest, end)
	return found
}
