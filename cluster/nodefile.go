package cluster

// Paths on every node.
const (
	// NodeFilePath holds a [NodeFile] as JSON, written by Puppet.
	NodeFilePath = "/etc/sirikata-cluster/node.json"
	// NodesFilePath holds a [NodesFile] as JSON, on full nodes; written by Puppet.
	NodesFilePath = "/etc/sirikata-cluster/nodes.json"
	// HostsFilePath holds a line "ADDRESS NAME" for each node, written by Puppet.
	HostsFilePath = "/etc/sirikata-cluster/hosts"
	// NodeProgramPath is where sirikata-node is installed.
	NodeProgramPath = "/usr/lib/sirikata-cluster/sirikata-node"
	// FenceSecretPath holds what a node proves to the power service that it is
	// of the cluster; root alone may read it. Written by Puppet.
	FenceSecretPath = "/etc/sirikata-cluster/fence.key"
	// FenceAgentPath is where Pacemaker looks for [FenceAgent]: a link to
	// NodeProgramPath, made by Puppet.
	FenceAgentPath = "/usr/sbin/" + FenceAgent
)

// FenceAgent is the name by which sirikata-node is a fence agent.
const FenceAgent = "fence_sirikata"

// ServiceVariable is the variable of the environment by which the processes of a
// service that runs in no unit of its own say whose they are.
const ServiceVariable = "SIRIKATA_SERVICE"

// NodeFile is what a node knows of itself; it is read at each start of a
// service, so that a service gets what is right for the node it runs on.
type NodeFile struct {
	Cluster       string   `json:"cluster"`
	Name          string   `json:"name"`
	Role          Role     `json:"role"`
	FQDN          string   `json:"fqdn"`
	ServiceUser   string   `json:"service_user"`
	WorkingPath   string   `json:"working_path"`
	WorkspacePath string   `json:"workspace_path"`
	SirikataPath  string   `json:"sirikata_path"`
	Capabilities  []string `json:"capabilities"`
}

// NodesFile is what a full node knows of all nodes of its cluster.
type NodesFile struct {
	Cluster string      `json:"cluster"`
	Nodes   []NodeOffer `json:"nodes"`
}

// NodeOffer is what a node offers to services.
type NodeOffer struct {
	Name         string   `json:"name"`
	Capabilities []string `json:"capabilities"`
}
