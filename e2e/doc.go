// Package e2e is the lab: it drives the real program as a user does, against
// real nodes, breaks them, and asserts by asking the nodes and the cluster on
// them, never our store.
//
// It holds tests only, all with the build tag lab:
//
//	make build && go test -tags lab ./e2e
//
// They need a Docker engine and root; without one they skip on a person's
// machine and fail where CI is set. Everything they make is labelled and named
// t-e2e-…, and removed before and after a run, so one that crashed leaves
// nothing for long. One lab runs on a machine at a time.
//
// Most tests share one cluster, one after the other. When all of them are over,
// those run that have a cluster of their own, as many at a time as go test -parallel
// says.
//
// Start at lab_test.go; one file per part of the product follows.
package e2e
