// Package providertest is the one test suite that every provider passes. It
// checks the promises of package provider against real machines, and asks the
// provider and the machines, never a store.
//
// Start at [Run].
package providertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// Loser is implemented by a provider under test that can lose a machine: it is
// gone for good, behind the provider's back.
type Loser interface {
	Lose(ctx context.Context, machine provider.Machine) error
}

// Simulated is implemented by a provider under test whose machines have no
// sshd; what needs one is then not checked.
type Simulated interface {
	Simulated()
}

// timeout bounds the whole suite, the building of an image included.
const timeout = 10 * time.Minute

// Given is implemented by a provider under test whose machines are the user's:
// they are there before Allocate, and after Release. Nobody vouches for them,
// and no key of ours is let in.
type Given interface {
	Given()
}

// suite is one run. Its parts build on one another: machines are dear.
type suite struct {
	provider provider.Provider
	spec     cluster.Spec
	key      key
	have     []provider.Machine // what the last Allocate returned
}

// Run runs the suite. newProvider is called once for every part, so that
// nothing can be remembered but by the machines themselves. spec needs a size
// of at least 2 and a name that nobody else uses. What the suite makes it
// releases, also when it fails.
func Run(t *testing.T, newProvider func(t *testing.T) provider.Provider, spec cluster.Spec) {
	t.Helper()
	if spec.Size < 2 {
		t.Fatalf("spec.Size is %d; the suite needs 2 at least", spec.Size)
	}
	s := &suite{spec: spec, key: newKey(t)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := newProvider(t).Release(ctx, spec); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	for _, part := range s.parts(newProvider(t)) {
		ok := t.Run(part.name, func(t *testing.T) {
			s.provider = newProvider(t)
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			part.check(ctx, t)
		})
		if !ok {
			t.Fatalf("%s: the parts after it build on it", part.name)
		}
	}
}

// part is one step of the suite.
type part struct {
	name  string
	check func(context.Context, *testing.T)
}

// parts are those that apply to the provider.
func (s *suite) parts(p provider.Provider) []part {
	if _, given := p.(Given); given {
		return s.givenParts()
	}
	all := []part{
		{"find none", s.findNone},
		{"release none", s.releaseAll},
		{"refuse a bad key", s.badKey},
		{"cancelled allocate", s.cancelled},
		{"allocate fewer", s.allocateFewer},
		{"allocate the rest", s.allocateRest},
		{"allocate again", s.allocateAgain},
	}
	if _, simulated := p.(Simulated); !simulated {
		all = append(all, part{"host keys", s.hostKeys}, part{"authorize", s.authorize})
	}
	if _, ok := p.(provider.Power); ok {
		all = append(all, part{"power", s.power}, part{"power by allocate", s.powerByAllocate})
	}
	if _, ok := p.(provider.Freezer); ok {
		all = append(all, part{"freeze", s.freeze})
	}
	if _, ok := p.(Loser); ok {
		all = append(all, part{"lost machine", s.lost})
	}
	return append(all,
		part{"release one machine", s.releaseOne},
		part{"give one up for good", s.giveUp},
		part{"release", s.releaseAll},
		part{"release again", s.releaseAll},
	)
}

// allocate allocates and checks what holds after every Allocate.
func (s *suite) allocate(ctx context.Context, t *testing.T, spec cluster.Spec) []provider.Machine {
	t.Helper()
	machines, err := s.provider.Allocate(ctx, spec, s.key.authorized, progress(t))
	if err != nil {
		t.Fatalf("allocate: %v\nhint: %s", err, cluster.HintOf(err))
	}
	if len(machines) != spec.Size {
		t.Fatalf("allocate: %d machines, not %d: %+v", len(machines), spec.Size, machines)
	}
	seen := make(map[string]string)
	for i, index := range spec.Indexes() {
		m := machines[i]
		if m.Index != index {
			t.Errorf("machine %d has index %d, not %d", i, m.Index, index)
		}
		if !m.Running {
			t.Errorf("%s does not run", m.Name)
		}
		for what, value := range map[string]string{
			"name": m.Name, "id": m.ID, "connect": m.Connect, "address": m.Address, "fqdn": m.FQDN,
		} {
			if value == "" {
				t.Errorf("machine %d has no %s", i, what)
			}
			if other, taken := seen[what+value]; taken {
				t.Errorf("%s has the %s of %s: %s", m.Name, what, other, value)
			}
			seen[what+value] = m.Name
		}
	}
	s.same(ctx, t, machines)
	return machines
}

// same checks that Find sees exactly these machines.
func (s *suite) same(ctx context.Context, t *testing.T, want []provider.Machine) {
	t.Helper()
	found, err := s.provider.Find(ctx, s.spec)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Fatalf("find (-want +got):\n%s", diff)
	}
}

// progress logs, and fails on two calls at once under the race detector.
func progress(t *testing.T) func(string) {
	lines := 0
	return func(line string) {
		lines++
		t.Logf("progress %d: %s", lines, line)
	}
}
