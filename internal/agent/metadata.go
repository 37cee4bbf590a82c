package agent

import (
	"encoding/xml"
	"strings"
)

// parameter is one parameter of the agent as its meta-data shows it.
type parameter struct {
	name, short, long, fallback string
	required                    bool
}

// parameters has every name of cluster.Service.Parameters, and generation,
// which only the cluster reads.
func parameters() []parameter {
	return []parameter{
		{"command", "Program and arguments",
			"The program, as an absolute path, and its arguments, as a JSON array. " +
				"PIDFILE and FQDN in an argument are replaced on the node.", "", true},
		{"user", "User",
			"The user that runs the command; empty means the node's service user.", "", false},
		{"cwd", "Working directory",
			"The working directory, as a JSON text; empty means the node's working path.", `""`, true},
		{"env", "Environment",
			"What is added to the environment, as a JSON object of texts.", "{}", true},
		{"monitor", "Longest check",
			"The longest time in seconds for which a recurring monitor watches the service before " +
				"it answers. A death is answered at once.", "10", true},
		{"force_daemonize", "Stays in the foreground",
			"true for a command that stays in the foreground, false for one that forks.", "false", true},
		{"failover", "Failover",
			"Whether the service is started again, here or elsewhere, when it fails. Read by the cluster.", "true", true},
		{"target", "Target",
			"The node on which the service runs, or any. Read by the cluster.", "any", false},
		{"require", "Capability",
			"The capability a node must have. Read by the cluster.", "", false},
		{"generation", "Generation",
			"Has no meaning: a change of it makes the cluster restart the service.", "", false},
	}
}

// metaAction is one <action> of the meta-data. The times are advice to whoever
// writes the operations.
type metaAction struct {
	Name     string `xml:"name,attr"`
	Timeout  string `xml:"timeout,attr"`
	Interval string `xml:"interval,attr,omitempty"`
	Depth    string `xml:"depth,attr,omitempty"`
}

type metaText struct {
	Lang string `xml:"lang,attr"`
	Text string `xml:",chardata"`
}

type metaContent struct {
	Type    string `xml:"type,attr"`
	Default string `xml:"default,attr,omitempty"`
}

type metaParameter struct {
	Name     string      `xml:"name,attr"`
	Unique   string      `xml:"unique,attr"`
	Required string      `xml:"required,attr"`
	Long     metaText    `xml:"longdesc"`
	Short    metaText    `xml:"shortdesc"`
	Content  metaContent `xml:"content"`
}

type metaAgent struct {
	XMLName    xml.Name        `xml:"resource-agent"`
	Name       string          `xml:"name,attr"`
	Release    string          `xml:"version,attr"`
	Standard   string          `xml:"version"`
	Long       metaText        `xml:"longdesc"`
	Short      metaText        `xml:"shortdesc"`
	Parameters []metaParameter `xml:"parameters>parameter"`
	Actions    []metaAction    `xml:"actions>action"`
}

// metadata is the answer to meta-data: XML as OCF Resource Agent API 1.1 has
// it. No parameter is reloadable: a change of any restarts the service.
func metadata(version Version) string {
	text := func(s string) metaText { return metaText{Lang: "en", Text: s} }
	doc := metaAgent{
		Name: agentName, Release: string(version), Standard: "1.1",
		Long: text("Runs one daemon, forking or in the foreground, in a systemd unit of its own. " +
			"The recurring monitor watches the process and answers the moment it dies; " +
			"give it an interval of 1s."),
		Short: text("Keeps a daemon running"),
		Actions: []metaAction{
			{Name: "start", Timeout: "20s"},
			{Name: "stop", Timeout: "20s"},
			{Name: "monitor", Timeout: "35s", Interval: "1s", Depth: "0"},
			{Name: "validate-all", Timeout: "20s"},
			{Name: "meta-data", Timeout: "5s"},
		},
	}
	for _, p := range parameters() {
		required := "0"
		if p.required {
			required = "1"
		}
		doc.Parameters = append(doc.Parameters, metaParameter{
			Name: p.name, Unique: "0", Required: required,
			Long: text(p.long), Short: text(p.short),
			Content: metaContent{Type: "string", Default: p.fallback},
		})
	}
	var b strings.Builder
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(&b)
	encoder.Indent("", "  ")
	// Only strings, written to memory: there is nothing that can fail.
	_ = encoder.Encode(doc)
	b.WriteByte('\n')
	return b.String()
}
