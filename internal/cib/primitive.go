package cib

import (
	"encoding/xml"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// MaxCandidates is the largest number of nodes that one service may run on.
// Pacemaker probes a service on each of its candidates, and probes are what
// makes a large cluster slow, so it does not grow with the cluster. With 4, one
// is there as long as a cluster of up to 7 full nodes has quorum.
const MaxCandidates = 4

// Time-outs of the agent's actions, in seconds. A start is long enough for a
// daemon that loads a world, a stop for TERM, 6 s, KILL and a collecting init.
const (
	startTimeout = 20
	stopTimeout  = 20
	// monitorMargin is added to the length of a check.
	monitorMargin = 20
)

// checkPause is the interval of the monitor. The agent's monitor holds until the
// service dies or the check is over, so this is only the pause between two
// checks, in which a death waits to be noticed.
//
// It must not be shorter. Pacemaker keeps the time of a result in whole seconds
// (last-rc-change) and, where a monitor's first success and its failure fall
// into the same one, takes the success for the newer: with 100 ms it went on to
// call a service started that was dead (Pacemaker 2.1.5).
const checkPause = "1s"

// generation is a parameter that the agent ignores: Pacemaker restarts a
// resource whose parameters change, in one transition and without any moment
// in which the service is configured as stopped.
const generation = "generation"

// The agent of services is ocf:sirikata:service.
const (
	agentClass    = "ocf"
	agentProvider = "sirikata"
	agentType     = "service"
)

// Primitive is a service as Pacemaker keeps it.
type Primitive struct {
	XMLName    xml.Name     `xml:"primitive"`
	ID         string       `xml:"id,attr"`
	Class      string       `xml:"class,attr"`
	Provider   string       `xml:"provider,attr,omitempty"`
	Type       string       `xml:"type,attr"`
	Instance   AttributeSet `xml:"instance_attributes"`
	Meta       AttributeSet `xml:"meta_attributes"`
	Operations []Operation  `xml:"operations>op"`
}

// AttributeSet is a set of name/value pairs.
type AttributeSet struct {
	ID    string      `xml:"id,attr"`
	Pairs []Attribute `xml:"nvpair"`
}

// Attribute is one name/value pair.
type Attribute struct {
	XMLName xml.Name `xml:"nvpair"`
	ID      string   `xml:"id,attr"`
	Name    string   `xml:"name,attr"`
	Value   string   `xml:"value,attr"`
}

// Operation is how Pacemaker calls one action of the agent.
type Operation struct {
	ID       string `xml:"id,attr"`
	Name     string `xml:"name,attr"`
	Interval string `xml:"interval,attr"`
	Timeout  string `xml:"timeout,attr"`
	OnFail   string `xml:"on-fail,attr,omitempty"`
	// RecordPending is whether the CIB gets to know that the action has begun, and
	// not only what came of it. [First] says what is done without it.
	RecordPending bool `xml:"record-pending,attr,omitempty"`
}

// NewPrimitive is the primitive of a service that may run on the candidates,
// 1 to [MaxCandidates] nodes by name. The service must be valid.
func NewPrimitive(service cluster.Service, candidates []string) (Primitive, error) {
	if len(candidates) < 1 || len(candidates) > MaxCandidates {
		return Primitive{}, fmt.Errorf("service %q has %d candidates, not 1 to %d", service.ID, len(candidates), MaxCandidates)
	}
	params, err := service.Parameters()
	if err != nil {
		return Primitive{}, fmt.Errorf("service %q: %w", service.ID, err)
	}
	params[generation] = "0"
	meta := map[string]string{}
	if !service.Failover {
		// A failure that is forgotten would be a restart.
		meta["failure-timeout"] = "0s"
	}
	for i, node := range candidates {
		meta[candidate(i)] = node
	}
	id := cluster.ResourceName(service.ID)
	return Primitive{
		ID: id, Class: agentClass, Provider: agentProvider, Type: agentType,
		Instance:   ownAttributes("parameters", id, params),
		Meta:       ownAttributes("meta", id, meta),
		Operations: operations(id, service),
	}, nil
}

func (p Primitive) ours() bool {
	return p.Class == agentClass && p.Provider == agentProvider && p.Type == agentType
}

func candidate(i int) string { return "candidate" + strconv.Itoa(i+1) }

func attributes(id string, values map[string]string) AttributeSet {
	set := AttributeSet{ID: id}
	for name, value := range values {
		set.Pairs = append(set.Pairs, Attribute{ID: id + "-" + name, Name: name, Value: value})
	}
	sort.Slice(set.Pairs, func(i, j int) bool { return set.Pairs[i].Name < set.Pairs[j].Name })
	return set
}

// ownAttributes are attributes of a resource. Their ids begin with their kind
// and end with the id of the resource, so that none is an id of another
// resource, whatever users call their services: all ids of a CIB must differ.
func ownAttributes(kind, resource string, values map[string]string) AttributeSet {
	set := attributes(kind+"-"+resource, values)
	for i, pair := range set.Pairs {
		set.Pairs[i].ID = kind + "-" + pair.Name + "-" + resource
	}
	return set
}

func operations(id string, service cluster.Service) []Operation {
	ops := []Operation{
		{ID: "op-start-" + id, Name: "start", Interval: "0s", Timeout: seconds(startTimeout), RecordPending: true},
		{ID: "op-stop-" + id, Name: "stop", Interval: "0s", Timeout: seconds(stopTimeout), RecordPending: true},
	}
	if service.Monitor == 0 {
		return ops
	}
	onFail := "restart"
	if !service.Failover {
		onFail = "stop"
	}
	return append(ops, Operation{ID: "op-monitor-" + id, Name: "monitor", Interval: checkPause,
		Timeout: seconds(service.Monitor + monitorMargin), OnFail: onFail})
}

func seconds(n int) string { return strconv.Itoa(n) + "s" }

// Service is the definition that the primitive carries. It is an error if the
// primitive was not made by [NewPrimitive].
func (p Primitive) Service() (cluster.Service, error) {
	id, ok := cluster.ServiceIDOf(p.ID)
	if !ok {
		return cluster.Service{}, fmt.Errorf("resource %q is not a service", p.ID)
	}
	return cluster.ParseParameters(id, p.Instance.values())
}

// Candidates are the nodes that the service may run on.
func (p Primitive) Candidates() []string {
	meta := p.Meta.values()
	var nodes []string
	for i := range MaxCandidates {
		if node := meta[candidate(i)]; node != "" && !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func (s AttributeSet) values() map[string]string {
	values := make(map[string]string, len(s.Pairs))
	for _, pair := range s.Pairs {
		values[pair.Name] = pair.Value
	}
	return values
}
