// Package cib is Pacemaker's configuration and state as data: the primitive
// that a service is, the first CIB of a cluster, and what crm_mon says. It does
// no I/O; whoever runs Pacemaker's tools hands their output in.
//
// A service is one primitive and nothing else. Where it may run stands in its
// own meta attributes candidate1, candidate2…, which location constraints of
// the first CIB compare with the name of each node. So adding a service is one
// element, which Pacemaker creates or refuses as a whole; removing it leaves
// nothing behind; and its size does not depend on the size of the cluster.
//
// Start at [NewPrimitive], [First] and [ParseMon].
package cib
