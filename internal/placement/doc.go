// Package placement chooses the nodes that a service may run on, its candidates:
// few of them, since Pacemaker probes each, and spread over all nodes that are
// capable. Which of its candidates a service runs on is for Pacemaker to decide.
//
// It must not speak to a cluster: it works on what was read from one, for the
// operator's command as well as for the nodes themselves.
//
// Start at [New].
package placement
