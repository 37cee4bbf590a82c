package cluster

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
)

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
	// Fence is what switches the host off when the cluster has lost it, with the
	// engine [Pacemaker]; empty if nothing does. All hosts of a cluster have it, or
	// none.
	Fence HostFence `json:"fence,omitempty"`
}

// Transport is how commands reach a host.
type Transport string

// The transports.
const (
	OverSSH   Transport = "ssh"   // what empty means
	OnMachine Transport = "local" // the host is the operator's machine itself
)

// thisMachine is the word for the operator's machine.
const thisMachine = "localhost"

const maxPort = 65535

// hostName is what ssh, known_hosts(5) and a URL all carry unchanged: a host
// name or an alias. It must not be an option of ssh.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$`)

// loginName is a user's name, maybe one of a domain.
var loginName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}$`)

// faults are all that is wrong with one host, but for its name, which it may not
// have yet.
func (h Host) faults() []Fault {
	var faults []Fault
	add := func(field, format string, args ...any) {
		faults = append(faults, Fault{Field: field, Problem: fmt.Sprintf(format, args...)})
	}
	if h.DNSName == "" {
		add("dns_name", "is missing: it is a host name, an IP address or an alias of ~/.ssh/config")
	} else if _, err := netip.ParseAddr(h.DNSName); err != nil && !hostName.MatchString(h.DNSName) {
		add("dns_name", "%q cannot be a host: use letters, digits, _ . and -, or an IP address", h.DNSName)
	}
	if h.Port < 0 || h.Port > maxPort {
		add("port", "%d is out of range: use 1 to %d", h.Port, maxPort)
	}
	if h.Username != "" && !loginName.MatchString(h.Username) {
		add("username", "%q cannot be a user's name", h.Username)
	}
	if problem := nodeNameFault(h.Name); h.Name != "" && problem != "" {
		add("name", "%s", problem)
	}
	faults = append(faults, pathFaults("sirikata_path", h.SirikataPath, "default_working_path", h.WorkingPath,
		"workspace_path", h.WorkspacePath)...)
	if h.IdentityFile != "" && !path.IsAbs(h.IdentityFile) && !strings.HasPrefix(h.IdentityFile, "~/") {
		add("identity_file", "%q is not an absolute path", h.IdentityFile)
	}
	if _, err := netip.ParseAddr(h.ClusterAddress); h.ClusterAddress != "" && err != nil {
		add("cluster_address", "%q is not an IP address", h.ClusterAddress)
	}
	faults = append(faults, h.Fence.faults()...)
	switch h.Transport {
	case "", OverSSH:
	case OnMachine:
		if h.Port != 0 || h.IdentityFile != "" {
			add("transport", "%q goes without SSH, and so without a port and an identity file", h.Transport)
		}
	default:
		add("transport", "%q is not a transport: use %s or %s", h.Transport, OverSSH, OnMachine)
	}
	return faults
}

// pathFaults checks pairs of field and path; empty paths are for others to judge.
func pathFaults(pairs ...string) []Fault {
	var faults []Fault
	for pair := range slices.Chunk(pairs, 2) {
		field, dir := pair[0], pair[1]
		if problem := textFault(dir); problem != "" {
			faults = append(faults, Fault{Field: field, Problem: problem})
		} else if dir != "" && !path.IsAbs(dir) {
			faults = append(faults, Fault{Field: field, Problem: fmt.Sprintf("%q is not an absolute path", dir)})
		}
	}
	return faults
}

// Host returns the host that is the node with that name.
func (s Spec) Host(node string) (Host, bool) {
	for _, host := range s.Hosts {
		if host.Name == node {
			return host, true
		}
	}
	return Host{}, false
}

// Paths are directories of one node.
type Paths struct {
	Sirikata  string // where releases are synced to
	Working   string // the working directory of services that name none
	Workspace string // scratch space that is not cleaned up at a reboot
}

// Paths returns the directories of the node with that name.
func (s Spec) Paths(node string) Paths {
	paths := Paths{Sirikata: s.SirikataPath, Working: s.WorkingPath, Workspace: s.WorkspacePath}
	host, _ := s.Host(node)
	paths.Sirikata = cmp.Or(host.SirikataPath, paths.Sirikata)
	paths.Working = cmp.Or(host.WorkingPath, paths.Working)
	paths.Workspace = cmp.Or(host.WorkspacePath, paths.Workspace)
	return paths
}

// User returns the user that logs in to the node with that name.
func (s Spec) User(node string) string {
	host, _ := s.Host(node)
	return cmp.Or(host.Username, s.LoginUser, "root")
}

// ServiceUserOn returns the user that runs services on the node with that name
// where they name none: on a host that the user has, the one that logs in.
func (s Spec) ServiceUserOn(node string) string {
	if s.Type == AdHoc {
		return s.User(node)
	}
	return s.ServiceUser
}

// hostFaults are what is wrong with the hosts of an ad-hoc cluster.
func (s Spec) hostFaults() []Fault {
	var faults []Fault
	if len(s.Hosts) == 0 {
		faults = append(faults, Fault{Field: "hosts", Problem: "there are none: name one at least"})
	}
	if s.Engine != Direct && s.Engine != Pacemaker {
		faults = append(faults, Fault{Field: "engine", Problem: fmt.Sprintf("%q is not an engine: use %s or %s", s.Engine, Direct, Pacemaker)})
	}
	if !loginName.MatchString(s.LoginUser) {
		faults = append(faults, Fault{Field: "user", Problem: fmt.Sprintf("%q cannot be a user's name", s.LoginUser)})
	}
	paths := []string{"sirikata path", s.SirikataPath, "work path", s.WorkingPath, "scratch path", s.WorkspacePath}
	for pair := range slices.Chunk(paths, 2) {
		if pair[1] == "" {
			faults = append(faults, Fault{Field: pair[0], Problem: "is empty"})
		}
	}
	faults = append(faults, pathFaults(paths...)...)
	faults = append(faults, s.fenceFaults()...)
	return append(faults, s.nodeFaults()...)
}

// nodeFaults are what is wrong with each host, and with all of them together.
func (s Spec) nodeFaults() []Fault {
	var faults []Fault
	names := map[string]bool{}
	for i, host := range s.Hosts {
		of := func(fault Fault) { faults = append(faults, ofNode(host.Index, host.Name, fault)) }
		for _, fault := range host.faults() {
			of(fault)
		}
		if problem := nodeNameFault(host.Name); problem != "" {
			of(Fault{Field: "name", Problem: problem})
		}
		if names[host.Name] {
			of(Fault{Field: "name", Problem: "another node has it, too"})
		}
		names[host.Name] = true
		if i > 0 && host.Index <= s.Hosts[i-1].Index {
			of(Fault{Field: "index", Problem: "is not above that of the node before it"})
		}
	}
	switch {
	case len(faults) > 0 || len(s.Hosts) == 0 || s.Size < 1 || s.Size > MaxSize:
	case len(s.Hosts) != s.Size:
		faults = append(faults, Fault{Field: "size", Problem: fmt.Sprintf("%d nodes, but %d hosts", s.Size, len(s.Hosts))})
	default:
		for i, index := range s.Indexes() {
			if s.Hosts[i].Index != index {
				faults = append(faults, ofNode(s.Hosts[i].Index, s.Hosts[i].Name,
					Fault{Field: "index", Problem: fmt.Sprintf("it should be %d, of the nodes not removed", index)}))
			}
		}
	}
	return faults
}

// NextIndex is the index of the next host: one that no node ever had.
func (s Spec) NextIndex() int {
	next := 0
	for _, host := range s.Hosts {
		next = max(next, host.Index+1)
	}
	for _, index := range s.Removed {
		next = max(next, index+1)
	}
	return next
}
