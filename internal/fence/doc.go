// Package fence is how the nodes of a local cluster switch each other off: the
// fence agent fence_sirikata, which Pacemaker runs on a node, and the power
// service, which it asks and which has the power, because it alone can reach the
// container engine. Both are part of sirikata-node.
//
// Fencing is what promises one copy of a service, so the rule of this package is:
// a machine is called off only when the engine says that it does not run, or
// that there is none.
//
// The two speak a protocol of three lines over TCP (protocol.go), in which the
// secret that they share is never sent and nothing that was heard can be used
// again. It is not HTTP: net/http would make sirikata-node 7.5 MB instead of
// 4.2, and each start of it, also as the agent of a service, 0.6 ms longer (of
// 2.7).
//
// Start at [Agent] and [Serve].
//
// What decides here: "Fence Agent API" of ClusterLabs' fence-agents, "Pacemaker
// Explained" (fencing), Docker Engine API.
package fence
