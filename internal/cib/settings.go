package cib

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"sort"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Settings are what the configuration of a cluster holds besides services; all
// of it follows from the spec and the nodes.
type Settings struct {
	Size int // number of all nodes
	// OneMachine is whether all nodes share the processors of one machine.
	OneMachine bool
	Remotes    []RemoteNode
	Fences     []FenceDevice // none without fencing, and with watchdogs
	// WatchdogWait is when a lost node counts as switched off by its own watchdog; 0
	// where that is not how nodes are fenced.
	WatchdogWait time.Duration
	// Past is which indexes of nodes were used.
	Past cluster.Past
	// Pair are the full nodes where there are two. If they lose sight of each other,
	// each has quorum; the first is not switched off.
	Pair [2]string
}

// RemoteNode is a node that runs what full nodes tell it to, over a connection
// that is itself a resource, of the name of the node.
type RemoteNode struct {
	Name    string
	Address string
}

// FenceDevice is a fence agent and its parameters.
type FenceDevice struct {
	Node       string // that it switches off; empty for one that switches any node off
	Agent      string
	Parameters map[string]string
}

// Fencing is the option that turns fencing on.
const Fencing = "stonith-enabled"

// WatchdogWait is the option that has lost nodes taken for off after a time. Pacemaker
// needs no resource for that (Pacemaker Explained, stonith-watchdog-timeout; the agent
// fence_watchdog would say it of some nodes only). Where it is not 0, a Pacemaker whose
// sbd does not run ends at once.
const WatchdogWait = "stonith-watchdog-timeout"

// StopAll is the option that stops all services of a cluster; the settings of one
// say that it does not.
const StopAll = "stop-all-resources"

// FenceID is the resource that fences a node, or any node if there is no name.
func FenceID(node string) string {
	if node == "" {
		return "fencing"
	}
	return "fencing-" + node
}

// Intervals and time-outs of the connection to a remote node. The monitor is
// what notices one that is silent.
//
// While a connection is being made, which for a dead node takes all of its
// time-out on one full node after the other, the cluster decides nothing else:
// no service is added, none is failed over. So an attempt is short, and the next
// ones come after a while.
const (
	remoteMonitor = 2 * time.Second
	remoteTimeout = 5 * time.Second
	remoteStart   = 2 * time.Second
	// The failures of a connection are forgotten after this time, too.
	remoteReconnect = 30 * time.Second
)

// RemoteDetection is the longest time from the silence of a remote node to the
// moment the cluster knows of it. One whose kernel still answers is noticed
// sooner, by the end of the connection.
const RemoteDetection = remoteMonitor + remoteTimeout

type fragment struct {
	XMLName   xml.Name     `xml:"configuration"`
	Options   AttributeSet `xml:"crm_config>cluster_property_set"`
	Resources []Primitive  `xml:"resources>primitive"`
}

// Fragment is the part of the configuration that the settings are, for cibadmin
// --modify --allow-create --scope configuration.
func (s Settings) Fragment() ([]byte, error) {
	part := fragment{Options: attributes(optionsID, s.options())}
	for _, node := range s.Remotes {
		part.Resources = append(part.Resources, node.primitive())
	}
	for _, device := range s.Fences {
		part.Resources = append(part.Resources, device.primitive(s.Pair))
	}
	text, err := xml.MarshalIndent(part, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the cluster's configuration: %w", err)
	}
	return text, nil
}

func (s Settings) options() map[string]string {
	options := map[string]string{
		StopAll: "false",
		Fencing: fmt.Sprint(len(s.Fences) > 0 || s.WatchdogWait > 0),
		// How many messages one daemon may leave unread before another gives it
		// up: as many as there are resources times nodes, says Pacemaker
		// Explained; this is for some 200 resources.
		"cluster-ipc-limit": fmt.Sprint(max(defaultIPCLimit, resourcesExpected*s.Size)),
	}
	if s.Size > cluster.MaxFull {
		// What the scheduler was asked is kept on disk for each decision, unless
		// this is 0. With many services compressing it takes half as long as the
		// decision itself. What led to warnings and errors is still kept.
		options["pe-input-series-max"] = "0"
	}
	if s.WatchdogWait > 0 {
		options[WatchdogWait] = inSeconds(s.WatchdogWait)
	}
	if s.OneMachine {
		// Pacemaker does less at a time while a node's load is high, and each of
		// them sees the load of all. 0 turns that off.
		options["load-threshold"] = "0%"
	}
	maps.Copy(options, pastOptions(s.Past))
	return options
}

const (
	defaultIPCLimit   = 500
	resourcesExpected = 200
)

func (n RemoteNode) primitive() Primitive {
	return Primitive{
		ID: n.Name, Class: agentClass, Provider: "pacemaker", Type: remoteType,
		Instance: ownAttributes("parameters", n.Name, map[string]string{
			"server":             n.Address,
			"reconnect_interval": inSeconds(remoteReconnect),
		}),
		Meta: ownAttributes("meta", n.Name, recovers),
		Operations: []Operation{
			{ID: "op-start-" + n.Name, Name: "start", Interval: "0s", Timeout: inSeconds(remoteStart), RecordPending: true},
			{ID: "op-monitor-" + n.Name, Name: "monitor", Interval: inSeconds(remoteMonitor), Timeout: inSeconds(remoteTimeout)},
		},
	}
}

// duelDelay is longer than a fence agent takes, and than two nodes may differ in
// when they notice. The user's agents may log in to a board first.
const (
	duelDelay     = 3 * time.Second
	userDuelDelay = 15 * time.Second
)

// RemoteXPath selects the connection to a remote node. A node's name leaves
// nothing to quote.
func RemoteXPath(node string) string {
	return "//resources/primitive[@id='" + node + "' and @type='" + remoteType + "']"
}

// recovers is for what the cluster itself needs: what is no service is never
// given up. (A migration-threshold of 0 would not do: with it Pacemaker 2.1.5
// tries again without any pause.)
var recovers = map[string]string{"failure-timeout": inSeconds(remoteReconnect)}

func inSeconds(d time.Duration) string { return seconds(int(d.Seconds())) }

// primitive is the resource of the device. One for any node is used on every node,
// also on one that is no more: with a list of those that it can switch off, a node
// that has vanished could not be fenced.
func (d FenceDevice) primitive(pair [2]string) Primitive {
	parameters := map[string]string{"pcmk_host_check": "none", "pcmk_delay_base": delays(pair, duelDelay)}
	if d.Node != "" {
		parameters = map[string]string{"pcmk_host_check": "static-list", "pcmk_host_list": d.Node, "pcmk_delay_base": delays(pair, userDuelDelay)}
	}
	maps.Copy(parameters, d.Parameters)
	id := FenceID(d.Node)
	return Primitive{
		ID: id, Class: fenceClass, Type: d.Agent,
		Instance:   ownAttributes("parameters", id, parameters),
		Meta:       ownAttributes("meta", id, recovers),
		Operations: []Operation{{ID: "op-monitor-" + id, Name: "monitor", Interval: "60s", Timeout: "30s"}},
	}
}

// fenceClass is what Pacemaker calls resources that fence.
const fenceClass = "stonith"

// FenceXPath selects what fences one node.
func FenceXPath(node string) string {
	return "//resources/primitive[@id='" + FenceID(node) + "' and @class='" + fenceClass + "']"
}

// delays says how long whoever wants to fence a node waits, node by node. Of a pair,
// the second is fenced while it waits to fence the first. Pacemaker takes the first
// entry that the name of the node begins with, so node10 must come before node1;
// and it calls a single number for all nodes an error in its log.
func delays(pair [2]string, duel time.Duration) string {
	if pair[0] == "" {
		return "-:0s" // of no node
	}
	first, second := pair[0]+":"+inSeconds(duel), pair[1]+":0s"
	if len(pair[0]) < len(pair[1]) {
		first, second = second, first
	}
	return first + ";" + second
}

// Lacks reports whether a configuration lacks anything of a part of it: an
// element with an id, or an attribute of one.
func Lacks(configuration, part []byte) (bool, error) {
	have, err := elements(configuration)
	if err != nil {
		return false, err
	}
	wanted, err := elements(part)
	if err != nil {
		return false, err
	}
	for id, attributes := range wanted {
		if have[id] != attributes {
			return true, nil
		}
	}
	return false, nil
}

// elements maps the ids of elements to their attributes.
func elements(text []byte) (map[string]string, error) {
	found := map[string]string{}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read configuration of the CIB: %w", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		id := ""
		pairs := []string{element.Name.Local}
		for _, attribute := range element.Attr {
			if attribute.Name.Local == "id" {
				id = attribute.Value
			}
			pairs = append(pairs, attribute.Name.Local+"="+attribute.Value)
		}
		sort.Strings(pairs[1:])
		if id != "" {
			found[id] = strings.Join(pairs, "\x00")
		}
	}
}
