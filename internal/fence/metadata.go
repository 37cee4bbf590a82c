package fence

import (
	"encoding/xml"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// metadata is what the agent says of itself: XML as the Fence Agent API has it.
// Pacemaker 2.1.5 reads from it which actions there are, and that the node's name
// goes into plug.
func metadata(version string) string {
	doc := metaAgent{
		Name: cluster.FenceAgent, Version: version,
		Short: "Power over the nodes of a local cluster",
		Long: "Switches nodes that are containers off and on, by asking the power service of their cluster, " +
			"which has the container engine. A node is off when the engine says that it does not run, or that it is gone. " +
			"reboot leaves a node off that was off.",
		VendorURL: "https://github.com/sirikata/sirikata-cluster",
	}
	for _, p := range []struct{ name, kind, fallback, short string }{
		{"action", "string", string(reboot), "Fencing action"},
		{"address", "string", "", "Host and port of the power service"},
		{"plug", "string", "", "Name of the node"},
		{"power_wait", "integer", "0", "Seconds between off and on in a reboot, which is answered when the node is off"},
		{"secret_file", "string", cluster.FenceSecretPath, "File with the secret that the service wants"},
	} {
		parameter := metaParameter{Name: p.name, Unique: "0", Required: "0",
			Content: metaContent{Type: p.kind, Default: p.fallback}, Short: metaText{Lang: "en", Text: p.short}}
		if p.name == "address" {
			parameter.Required = "1"
		}
		doc.Parameters = append(doc.Parameters, parameter)
	}
	for _, a := range []action{on, off, reboot, status, monitor, list, "metadata", "validate-all"} {
		doc.Actions = append(doc.Actions, metaAction{Name: string(a)})
	}
	doc.Actions[0].Automatic = "0" // nodes are not unfenced when they join
	var b strings.Builder
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(&b)
	encoder.Indent("", "  ")
	// Only strings, written to memory: there is nothing that can fail.
	_ = encoder.Encode(doc)
	b.WriteByte('\n')
	return b.String()
}

type metaAgent struct {
	XMLName    xml.Name        `xml:"resource-agent"`
	Name       string          `xml:"name,attr"`
	Short      string          `xml:"shortdesc,attr"`
	Version    string          `xml:"version,attr"`
	Long       string          `xml:"longdesc"`
	VendorURL  string          `xml:"vendor-url"`
	Parameters []metaParameter `xml:"parameters>parameter"`
	Actions    []metaAction    `xml:"actions>action"`
}

type metaParameter struct {
	Name     string      `xml:"name,attr"`
	Unique   string      `xml:"unique,attr"`
	Required string      `xml:"required,attr"`
	Content  metaContent `xml:"content"`
	Short    metaText    `xml:"shortdesc"`
}

type metaContent struct {
	Type    string `xml:"type,attr"`
	Default string `xml:"default,attr,omitempty"`
}

type metaText struct {
	Lang string `xml:"lang,attr"`
	Text string `xml:",chardata"`
}

type metaAction struct {
	Name      string `xml:"name,attr"`
	Automatic string `xml:"automatic,attr,omitempty"`
}
