package providertest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/internal/provider"
)

func (s *suite) findNone(ctx context.Context, t *testing.T) {
	s.same(ctx, t, nil)
}

func (s *suite) releaseAll(ctx context.Context, t *testing.T) {
	if err := s.provider.Release(ctx, s.spec); err != nil {
		t.Fatalf("release: %v", err)
	}
	s.same(ctx, t, nil)
}

func (s *suite) badKey(ctx context.Context, t *testing.T) {
	for _, bad := range []string{"", "not a key", s.key.authorized + "\n" + s.key.authorized} {
		if _, err := s.provider.Allocate(ctx, s.spec, bad, progress(t)); err == nil {
			t.Errorf("allocate with the authorized key %q: no error", bad)
		}
	}
	s.same(ctx, t, nil)
}

// cancelled checks that a cancelled Allocate says so; whatever it made is for
// the next one to adopt.
func (s *suite) cancelled(ctx context.Context, t *testing.T) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.provider.Allocate(ctx, s.spec, s.key.authorized, progress(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("allocate with a cancelled context: %v, not %v", err, context.Canceled)
	}
}

func (s *suite) allocateFewer(ctx context.Context, t *testing.T) {
	fewer := s.spec
	fewer.Size--
	s.have = s.allocate(ctx, t, fewer)
}

func (s *suite) allocateRest(ctx context.Context, t *testing.T) {
	before := s.have
	s.have = s.allocate(ctx, t, s.spec)
	if diff := cmp.Diff(before, s.have[:len(before)]); diff != "" {
		t.Errorf("machines that ran were changed (-before +after):\n%s", diff)
	}
}

func (s *suite) allocateAgain(ctx context.Context, t *testing.T) {
	if diff := cmp.Diff(s.have, s.allocate(ctx, t, s.spec)); diff != "" {
		t.Errorf("machines changed (-before +after):\n%s", diff)
	}
}

// hostKeys checks that what the provider vouches for is what sshd offers, and
// that the key given to Allocate logs in.
func (s *suite) hostKeys(ctx context.Context, t *testing.T) {
	for _, m := range s.have {
		login(ctx, t, m, s.spec, s.key)
	}
}

func (s *suite) authorize(ctx context.Context, t *testing.T) {
	stranger := newKey(t)
	m := s.have[len(s.have)-1]
	refused(ctx, t, m, s.spec, stranger)
	for range 2 {
		err := s.provider.Authorize(ctx, m, stranger.authorized)
		if errors.Is(err, provider.ErrNotSupported) {
			t.Log("this provider cannot authorize, and says so")
			return
		}
		if err != nil {
			t.Fatalf("authorize: %v", err)
		}
	}
	login(ctx, t, m, s.spec, stranger)
	login(ctx, t, m, s.spec, s.key)
}

// power checks each switch, twice: what holds already is no error.
func (s *suite) power(ctx context.Context, t *testing.T) {
	power := s.provider.(provider.Power) // parts checked it
	m := s.have[0]
	for _, step := range []struct {
		name    string
		do      func(context.Context, provider.Machine) error
		running bool
	}{
		{"kill", power.Kill, false},
		{"start", power.Start, true},
		{"stop", power.Stop, false},
		{"start", power.Start, true},
	} {
		for range 2 {
			if err := step.do(ctx, m); err != nil {
				t.Fatalf("%s %s: %v", step.name, m.Name, err)
			}
			s.running(ctx, t, m, step.running)
		}
	}
}

// running checks one machine, and that the others were left alone.
func (s *suite) running(ctx context.Context, t *testing.T, m provider.Machine, want bool) {
	t.Helper()
	found, err := s.provider.Find(ctx, s.spec)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	if len(found) != len(s.have) {
		t.Fatalf("find: %d machines, not %d", len(found), len(s.have))
	}
	for i, f := range found {
		expected := s.have[i]
		if f.Index == m.Index {
			expected.Running = want
			expected.Connect = f.Connect // may be another after each start
		}
		if diff := cmp.Diff(expected, f); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", f.Name, diff)
		}
	}
}

// freeze checks each switch, twice, and that a frozen machine can be killed:
// what hangs must not be beyond reach.
func (s *suite) freeze(ctx context.Context, t *testing.T) {
	freezer := s.provider.(provider.Freezer) // parts checked it
	m := s.have[0]
	for _, do := range []func(context.Context, provider.Machine) error{freezer.Freeze, freezer.Thaw} {
		for range 2 {
			if err := do(ctx, m); err != nil {
				t.Fatalf("freeze and thaw %s: %v", m.Name, err)
			}
			s.running(ctx, t, m, true)
		}
	}
	power, ok := s.provider.(provider.Power)
	if !ok {
		return
	}
	if err := freezer.Freeze(ctx, m); err != nil {
		t.Fatalf("freeze %s: %v", m.Name, err)
	}
	if err := power.Start(ctx, m); err != nil {
		t.Errorf("start %s, which is on: %v", m.Name, err)
	}
	if err := power.Kill(ctx, m); err != nil {
		t.Fatalf("kill %s, which is frozen: %v", m.Name, err)
	}
	s.running(ctx, t, m, false)
	if err := freezer.Freeze(ctx, m); err == nil {
		t.Errorf("freeze %s, which is off: no error", m.Name)
	}
	if err := freezer.Thaw(ctx, m); err != nil {
		t.Errorf("thaw %s, which is off: %v", m.Name, err)
	}
	s.again(ctx, t, -1)
}

// releaseOne checks that one machine goes and no other, and comes back anew.
func (s *suite) releaseOne(ctx context.Context, t *testing.T) {
	m := s.have[0]
	for range 2 {
		if err := s.provider.ReleaseMachine(ctx, s.spec, m); err != nil {
			t.Fatalf("release %s: %v", m.Name, err)
		}
		s.same(ctx, t, s.have[1:])
	}
	s.again(ctx, t, 0)
}

// giveUp checks that a machine that was removed from the spec is not made again,
// nor switched on: another one takes its place.
func (s *suite) giveUp(ctx context.Context, t *testing.T) {
	m, rest := s.have[0], s.have[1:]
	spec := s.spec
	spec.Removed = []int{m.Index}
	if power, ok := s.provider.(provider.Power); ok {
		if err := power.Kill(ctx, m); err != nil {
			t.Fatalf("kill %s: %v", m.Name, err)
		}
	}
	machines, err := s.provider.Allocate(ctx, spec, s.key.authorized, progress(t))
	if err != nil || len(machines) != spec.Size {
		t.Fatalf("allocate without %s: %d machines, %v", m.Name, len(machines), err)
	}
	if diff := cmp.Diff(rest, machines[:len(rest)]); diff != "" {
		t.Errorf("machines (-before +after):\n%s", diff)
	}
	found, err := s.provider.Find(ctx, spec)
	if err != nil || len(found) != len(machines)+1 {
		t.Fatalf("find: %d machines, %v", len(found), err)
	}
	if diff := cmp.Diff(machines, found[1:]); diff != "" || found[0].ID != m.ID {
		t.Errorf("find (-allocated +found):\n%s", diff)
	}
	if _, ok := s.provider.(provider.Power); ok && found[0].Running {
		t.Errorf("%s was switched on", m.Name)
	}
	if err := s.provider.ReleaseMachine(ctx, spec, m); err != nil {
		t.Fatalf("release %s: %v", m.Name, err)
	}
	s.have = s.allocate(ctx, t, spec)
	if diff := cmp.Diff(machines, s.have); diff != "" {
		t.Errorf("machines (-before +after):\n%s", diff)
	}
}

func (s *suite) powerByAllocate(ctx context.Context, t *testing.T) {
	power := s.provider.(provider.Power) // parts checked it
	if err := power.Kill(ctx, s.have[1]); err != nil {
		t.Fatalf("kill %s: %v", s.have[1].Name, err)
	}
	s.again(ctx, t, -1)
}

// lost checks that a machine that is gone is made again under its old name and
// address, and that the others are left alone.
func (s *suite) lost(ctx context.Context, t *testing.T) {
	loser := s.provider.(Loser) // parts checked it
	if err := loser.Lose(ctx, s.have[0]); err != nil {
		t.Fatalf("lose %s: %v", s.have[0].Name, err)
	}
	s.same(ctx, t, s.have[1:])
	s.again(ctx, t, 0)
}

// again allocates. Of all machines only the one with the index made anew may
// have changed, and may be known by its new id.
func (s *suite) again(ctx context.Context, t *testing.T, anew int) {
	t.Helper()
	before := s.have
	s.have = s.allocate(ctx, t, s.spec)
	for i, m := range s.have {
		expected := before[i]
		expected.Connect = m.Connect // may be another after each start
		if i == anew {
			if m.ID == expected.ID {
				t.Errorf("%s has the id of the machine that was lost", m.Name)
			}
			expected.ID, expected.HostKey = m.ID, m.HostKey
		}
		if diff := cmp.Diff(expected, m); diff != "" {
			t.Errorf("%s (-before +after):\n%s", m.Name, diff)
		}
	}
	if _, simulated := s.provider.(Simulated); !simulated {
		s.hostKeys(ctx, t)
	}
}
