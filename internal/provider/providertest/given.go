package providertest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// givenParts are those that apply to machines of the user's. The spec names two
// hosts at least.
func (s *suite) givenParts() []part {
	return []part{
		{"cancelled allocate", s.cancelled},
		{"allocate", s.allocateGiven},
		{"allocate again", s.allocateAgain},
		{"authorize", s.authorizeGiven},
		{"release changes nothing", s.releaseGiven},
		{"give one up for good", s.giveUpGiven},
	}
}

func (s *suite) allocateGiven(ctx context.Context, t *testing.T) {
	s.have = s.allocate(ctx, t, s.spec)
}

func (s *suite) authorizeGiven(ctx context.Context, t *testing.T) {
	for _, m := range s.have {
		if err := s.provider.Authorize(ctx, m, s.key.authorized); !errors.Is(err, provider.ErrNotSupported) {
			t.Errorf("authorize on %s: %v, not %v", m.Name, err, provider.ErrNotSupported)
		}
	}
}

func (s *suite) releaseGiven(ctx context.Context, t *testing.T) {
	for range 2 {
		if err := s.provider.Release(ctx, s.spec); err != nil {
			t.Fatalf("release: %v", err)
		}
		if err := s.provider.ReleaseMachine(ctx, s.spec, s.have[0]); err != nil {
			t.Fatalf("release %s: %v", s.have[0].Name, err)
		}
		s.same(ctx, t, s.have)
	}
}

// giveUpGiven checks that a host that was removed from the spec is no machine of
// the cluster, and that the others keep their indexes.
func (s *suite) giveUpGiven(ctx context.Context, t *testing.T) {
	spec := s.spec
	spec.Hosts, spec.Size, spec.Removed = spec.Hosts[1:], spec.Size-1, []int{spec.Hosts[0].Index}
	if err := spec.Validate(); err != nil {
		t.Fatal(err)
	}
	found, err := s.provider.Find(ctx, spec)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	if diff := cmp.Diff(s.have[1:], found); diff != "" {
		t.Errorf("machines (-before +after):\n%s", diff)
	}
}
