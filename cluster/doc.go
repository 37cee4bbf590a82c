// Package cluster holds the words of the product: what a user asks for
// ([Spec], [Service]), what there is ([Node], [Status]), what may be asked
// ([Spec.Validate], [Service.Validate]) and the errors that callers decide on.
//
// It does no I/O and imports nothing of this module, so that every other
// package, on the operator's machine and on the nodes, can share it.
//
// Start at [Spec] and [Service].
package cluster
