// Package providertest is the one test suite that every provider passes. It
// checks the promises of package provider against real machines, and asks the
// provider and the machines, never a store.
//
// Start at [Run].
package providertest

import (
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Run runs the suite.
func Run(t *testing.T, newProvider func(t *testing.T) provider.Provider, spec cluster.Spec) {
	t.Helper()
	t.Fatal("not written yet")
}
