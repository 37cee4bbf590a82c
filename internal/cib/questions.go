package cib

// AskMon is the command whose output [ParseMon] reads.
func AskMon() []string { return []string{"crm_mon", "--one-shot", "--output-as=xml"} }

// AskResources is the command whose output [ParseResources] reads.
func AskResources() []string { return []string{"cibadmin", "--query", "--scope", "resources"} }

// AskNodes is the command whose output [ParseGlance] reads.
func AskNodes() []string {
	return []string{"cibadmin", "--query", "--no-children", "--xpath", glanceXPath}
}
