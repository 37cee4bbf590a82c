// Package drill is what a drill is made of, without the nodes: the catalogue of
// faults, the plan that a seed makes of it, and what is true of a cluster that
// has got over a fault.
//
// It touches nothing. The lab (package e2e) does what the plan says to real
// nodes and asks them.
//
// Start at catalogue.go.
package drill
