package cluster

// NodeState is the state of a node as the cluster sees it.
type NodeState string

// The states of a node.
const (
	Online  NodeState = "online"
	Offline NodeState = "offline"
	Standby NodeState = "standby"
	Unclean NodeState = "unclean" // lost, and not yet known to be dead
	Pending NodeState = "pending" // joining
)

// Role is what a node does for the cluster besides running services.
type Role string

// The roles of a node.
const (
	Full   Role = "full"   // votes
	Remote Role = "remote" // runs services only
)

// Node is one machine of a cluster.
type Node struct {
	Index int    `json:"index"` // from 0
	Name  string `json:"name"`
	// ID is the provider's id of the machine; empty if the cluster has the node and
	// the provider does not.
	ID string `json:"id"`
	// Connect is how the operator reaches the node's sshd, as host:port; the host
	// alone where ~/.ssh/config has the port.
	Connect string `json:"connect"`
	// Address is the node's address inside the cluster, on one of its own
	// interfaces; Corosync binds to it. Empty for a host of an ad-hoc cluster
	// whose address nobody gave or needed.
	Address string `json:"address"`
	// FQDN is the name by which clients of services reach the node.
	FQDN  string    `json:"fqdn"`
	State NodeState `json:"state"`
	// Role is empty for a node that the cluster does not know: it was not made a
	// part of it yet, or is none any more.
	Role         Role     `json:"role"`
	Capabilities []string `json:"capabilities"`
	// Protection says, in words, what keeps services of this node from running
	// twice when it is lost; empty where nobody asked the cluster.
	Protection string `json:"protection,omitempty"`
	// LastFenced is when the cluster last switched the node off, by the clock of
	// the node that saw to it; empty if never, or if nobody asked the cluster.
	LastFenced string `json:"last_fenced,omitempty"`
}

// ServiceState is the state of a service as the cluster sees it.
type ServiceState string

// The states of a service.
const (
	Running  ServiceState = "running"
	Starting ServiceState = "starting"
	Stopped  ServiceState = "stopped"
	Failed   ServiceState = "failed"
)

// ServiceStatus is what one service does now.
type ServiceStatus struct {
	ID    string       `json:"id"`
	State ServiceState `json:"state"`
	// Node is where it runs or starts; empty otherwise. With the engine [Direct] it
	// is where the service is, whatever its state: it never moves.
	Node   string `json:"node"`
	Target string `json:"target"`
	// Failover is false with the engine Direct, whatever was asked for.
	Failover bool `json:"failover"`
	// Failures counts its failures on all nodes since it was last restarted by
	// a command or added. With Failover, those on one node are forgotten 10 minutes
	// after the last of them.
	Failures int `json:"failures"`
	// Reason says why it is not running; empty when it is.
	Reason string `json:"reason"`
	// Run identifies the current run: it changes with every start. It is empty
	// when the service does not run, and when the cluster has forgotten its start.
	Run string `json:"run,omitempty"`
}

// Status is the state of a whole cluster.
type Status struct {
	Cluster string `json:"cluster"`
	Type    Type   `json:"type"`
	Engine  Engine `json:"engine"`
	// Quorate is whether more than half of the nodes agree. With the engine [Direct]
	// there is nothing to agree on: it is true, DC and Fencing are empty.
	Quorate bool `json:"quorate"`
	// DC is the name of the node whose controller decides for the cluster.
	DC      string `json:"dc"`
	Fencing bool   `json:"fencing"`
	// DetectionSeconds is how long it takes to notice a dead full node, and
	// RemoteDetectionSeconds, at most, a dead remote node: 0 if there are none.
	DetectionSeconds       float64 `json:"detection_seconds"`
	RemoteDetectionSeconds float64 `json:"remote_detection_seconds,omitempty"`
	// WatchdogSeconds is for how long after that the cluster waits for the watchdog of
	// the node to switch it off; 0 where nodes are fenced in another way, or not at all.
	WatchdogSeconds float64 `json:"watchdog_seconds,omitempty"`
	// Warnings say what is not as it should be, and what to do about it.
	Warnings []string        `json:"warnings"`
	Nodes    []Node          `json:"nodes"`
	Services []ServiceStatus `json:"services"`
}

// Service returns the status of the service with that id.
func (s Status) Service(id string) (ServiceStatus, bool) {
	for _, service := range s.Services {
		if service.ID == id {
			return service, true
		}
	}
	return ServiceStatus{}, false
}

// LastStand reports whether the loss of one more full node costs the quorum. Of
// two, one goes on by itself (votequorum(5), two_node), and of one nothing would.
func (s Status) LastStand() bool {
	full, there := s.full()
	return full > 2 && there-1 <= full/2
}

// StandsWithout reports whether the cluster goes on when it loses a node.
func (s Status) StandsWithout(node Node) bool {
	if node.Role != Full {
		return s.Quorate
	}
	_, there := s.full()
	return s.Quorate && there > 1 && !s.LastStand()
}

// full counts the full nodes, and those of them that are there.
func (s Status) full() (full, there int) {
	for _, node := range s.Nodes {
		if node.Role != Full {
			continue
		}
		full++
		if node.State != Offline && node.State != Unclean {
			there++
		}
	}
	return full, there
}
