// Package remote runs commands on nodes over SSH: run, stream, write files,
// fan out. It is the only package that speaks SSH and the only one that quotes.
// A host may be one that the operator's own ssh knows how to reach ([OpenSSH]),
// or the operator's machine itself ([Host.Here]). It knows nothing of clusters
// beyond the name of a host.
//
// Start at [Dial] and [Client.Run].
package remote
