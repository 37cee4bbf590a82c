package cluster

// Load is what Corosync and Pacemaker take of one node, as sirikata-node measures
// it there.
type Load struct {
	// Seconds is for how long it was measured.
	Seconds float64      `json:"seconds"`
	Daemons []DaemonLoad `json:"daemons"`
	// Corosync is nil where it does not run, as on a remote node, or does not
	// answer.
	Corosync *CorosyncLoad `json:"corosync,omitempty"`
}

// DaemonLoad is what one daemon takes of a node's processors. 1 is one core.
type DaemonLoad struct {
	Name string  `json:"name"`
	Now  float64 `json:"now"` // while it was measured
	// Mean is since the daemon was started, AgeSeconds ago.
	Mean       float64 `json:"mean"`
	AgeSeconds float64 `json:"age_seconds"`
}

// CorosyncLoad is what Corosync itself counts.
type CorosyncLoad struct {
	// Votes are the names of the nodes that its nodelist gives a vote.
	Votes []string `json:"votes"`
	// BytesPerSecond it sent and received, and how many messages it had to send
	// once more.
	BytesPerSecond       float64 `json:"bytes_per_second"`
	RetransmitsPerSecond float64 `json:"retransmits_per_second"`
}
