package cluster

import "cmp"

// Host is a host that the user already has, as a node of an ad-hoc cluster.
type Host struct {
	// Index is the node's for as long as the cluster lives; none is used again.
	Index int `json:"index"`
	// Name is the node's: the first label of its host name, unless another node
	// has that one.
	Name string `json:"name"`
	// DNSName is what was given as the host: a host name, an IP address or an
	// alias of ~/.ssh/config. Clients of services reach the node by it.
	DNSName string `json:"dns_name"`
	// Port is sshd's; 0 leaves it to ~/.ssh/config, and then it is 22.
	Port int `json:"port,omitempty"`
	// Username logs in and runs services; empty means the spec's LoginUser.
	Username string `json:"username,omitempty"`
	// The node's own paths; empty means the spec's.
	SirikataPath  string `json:"sirikata_path,omitempty"`
	WorkingPath   string `json:"default_working_path,omitempty"`
	WorkspacePath string `json:"workspace_path,omitempty"`
	// IdentityFile is a private key file on the operator's machine; empty leaves
	// it to the SSH agent, ~/.ssh/config and the usual files.
	IdentityFile string `json:"identity_file,omitempty"`
	// ClusterAddress is an IP address on one of its interfaces, by which the
	// nodes reach each other; empty means that it is found out.
	ClusterAddress string `json:"cluster_address,omitempty"`
	// Transport is how commands reach the host.
	Transport Transport `json:"transport,omitempty"`
}

// Transport is how commands reach a host.
type Transport string

// The transports.
const (
	OverSSH   Transport = "ssh"   // what empty means
	OnMachine Transport = "local" // the host is the operator's machine itself
)

// Paths are directories of one node.
type Paths struct {
	Sirikata  string // where releases are synced to
	Working   string // the working directory of services that name none
	Workspace string // scratch space that is not cleaned up at a reboot
}

// Paths returns the directories of the node with that name.
func (s Spec) Paths(node string) Paths {
	paths := Paths{Sirikata: s.SirikataPath, Working: s.WorkingPath, Workspace: s.WorkspacePath}
	for _, host := range s.Hosts {
		if host.Name != node {
			continue
		}
		paths.Sirikata = cmp.Or(host.SirikataPath, paths.Sirikata)
		paths.Working = cmp.Or(host.WorkingPath, paths.Working)
		paths.Workspace = cmp.Or(host.WorkspacePath, paths.Workspace)
	}
	return paths
}

// User returns the user that logs in to the node with that name, and that runs
// its services where they name none and the engine is [Direct].
func (s Spec) User(node string) string {
	user := cmp.Or(s.LoginUser, "root")
	for _, host := range s.Hosts {
		if host.Name == node {
			user = cmp.Or(host.Username, user)
		}
	}
	return user
}
