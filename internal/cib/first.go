package cib

import (
	"encoding/xml"
	"fmt"
)

// The first CIB of a cluster.
type (
	document struct {
		XMLName      xml.Name      `xml:"cib"`
		Schema       string        `xml:"validate-with,attr"`
		AdminEpoch   int           `xml:"admin_epoch,attr"`
		Epoch        int           `xml:"epoch,attr"`
		NumUpdates   int           `xml:"num_updates,attr"`
		Config       configuration `xml:"configuration"`
		EmptySection struct{}      `xml:"status"`
	}
	configuration struct {
		Properties  AttributeSet `xml:"crm_config>cluster_property_set"`
		Nodes       struct{}     `xml:"nodes"`
		Resources   struct{}     `xml:"resources"`
		Locations   []location   `xml:"constraints>rsc_location"`
		RscDefaults AttributeSet `xml:"rsc_defaults>meta_attributes"`
		OpDefaults  AttributeSet `xml:"op_defaults>meta_attributes"`
	}
	location struct {
		ID        string `xml:"id,attr"`
		Pattern   string `xml:"rsc-pattern,attr"`
		Discovery string `xml:"resource-discovery,attr"`
		Rule      rule   `xml:"rule"`
	}
	rule struct {
		ID         string     `xml:"id,attr"`
		Score      string     `xml:"score,attr"`
		Expression expression `xml:"expression"`
	}
	expression struct {
		ID        string `xml:"id,attr"`
		Attribute string `xml:"attribute,attr"`
		Operation string `xml:"operation,attr"`
		Value     string `xml:"value,attr"`
		Source    string `xml:"value-source,attr,omitempty"`
	}
)

// optionsID is the set of the cluster's options.
const optionsID = "cib-bootstrap-options"

// First is the CIB that is laid down on every node before Pacemaker starts for
// the first time. Its version is the lowest there is, so it never replaces the
// CIB of a cluster that lives.
//
// The schema is the oldest that has all we use: a CIB whose schema a daemon
// does not know never forms a cluster. There is no crm_feature_set: Pacemaker
// refuses a CIB with a newer one than its own.
func First() (string, error) {
	doc := document{Schema: "pacemaker-3.0", Config: configuration{
		Properties: attributes(optionsID, map[string]string{
			// Opt-in: a resource runs only where a constraint lets it.
			"symmetric-cluster": "false",
			// Until all nodes were there once.
			"stonith-enabled": "false",
			// How long the first node waits for another to be the DC; the default
			// of 20 s is all that an empty cluster would wait for.
			"dc-deadtime": "1s",
			// How long a node that is told to shut down waits for the DC to stop what
			// runs there, which may never come: see ADR 0008. The default is 20 minutes.
			"shutdown-escalation": "180s",
		}),
		RscDefaults: attributes("rsc_defaults-options", map[string]string{
			// A service that runs stays where it is when other nodes come back.
			"resource-stickiness": "1000",
			// The third death on one node moves a service elsewhere. Pacemaker's
			// default, a million, restarts a daemon that keeps dying for ever.
			"migration-threshold": "3",
			// Ten minutes after its last failure such a node is used again: a disk
			// that was full may have room by now, and nobody need say so.
			"failure-timeout": "600s",
		}),
		OpDefaults: attributes("op_defaults-options", map[string]string{
			// That a probe or a check has begun is no news worth a change of the
			// CIB on every full node. That a start has begun is: a DC that is new
			// must know of it, or it starts the service elsewhere as well.
			"record-pending": "false",
		}),
	}}
	for i := range MaxCandidates {
		doc.Config.Locations = append(doc.Config.Locations, candidateLocation(candidate(i)))
	}
	doc.Config.Locations = append(doc.Config.Locations, infrastructure())
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode first CIB: %w", err)
	}
	return xml.Header + string(text) + "\n", nil
}

// candidateLocation lets a service run on the node that its meta attribute
// names, and probes it nowhere else (resource-discovery=exclusive). All
// candidates score the same, so Pacemaker spreads services evenly.
func candidateLocation(name string) location {
	id := "location-" + name
	return location{
		ID: id, Pattern: "^service-", Discovery: "exclusive",
		Rule: rule{ID: id + "-rule", Score: "100", Expression: expression{
			ID: id + "-expression", Attribute: "#uname", Operation: "eq", Value: name, Source: "meta",
		}},
	}
}

// infrastructure lets what is no service run on full nodes: the connections to
// remote nodes, and what fences.
func infrastructure() location {
	const id = "location-infrastructure"
	return location{
		ID: id, Pattern: "!^service-", Discovery: "exclusive",
		Rule: rule{ID: id + "-rule", Score: "100", Expression: expression{
			ID: id + "-expression", Attribute: "#kind", Operation: "eq", Value: "cluster",
		}},
	}
}
