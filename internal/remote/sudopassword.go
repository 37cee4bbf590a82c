package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Sudo is how users who are not root run commands as root, on all hosts that share
// it. It remembers what sudo said of the password for as long as it lives, because
// hosts lock users out who are wrong too often (pam_faillock(8)): until one host
// accepted it, one at a time tries it, and the first refusal is that of all. From
// then on each host tries it by itself, and its refusal is its own. It may be used
// by several goroutines; it must not be copied.
type Sudo struct {
	// Password is the users'; empty if nobody was asked for it. It reaches sudo
	// by standard input alone.
	Password string

	mu       sync.Mutex
	trying   chan struct{} // closed when the host that tries alone is done; nil if none does
	accepted bool          // by one host at least
	first    *SudoError    // the refusal before any host accepted it
	refused  map[string]*SudoError
}

// try lets attempt give the password to a host, unless a refusal says that it would
// be wrong.
func (s *Sudo) try(ctx context.Context, host Host, attempt func() error) error {
	if err := s.begin(ctx, host); err != nil {
		return err
	}
	err := attempt()
	s.end(host, err)
	return err
}

// begin waits until the host may try.
func (s *Sudo) begin(ctx context.Context, host Host) error {
	for {
		trying, err := s.turn(host)
		if trying == nil {
			return err
		}
		select {
		case <-trying:
		case <-ctx.Done():
			return fmt.Errorf("become root on %s: %w", host.Name, context.Cause(ctx))
		}
	}
}

// turn gives the host its turn, or a refusal, or what to wait for.
func (s *Sudo) turn(host Host) (trying chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch own := s.refused[host.Name]; {
	case own != nil:
		return nil, own
	case s.first != nil:
		return nil, &SudoError{Node: host.Name, User: host.User, Fault: SudoWrongPassword, Said: s.first.Said, Elsewhere: s.first}
	case s.trying == nil && !s.accepted:
		s.trying = make(chan struct{})
		return nil, nil
	}
	return s.trying, nil
}

// end remembers what came of an attempt. One that says nothing of the password, such
// as of a connection that broke, leaves the turn to the next host.
func (s *Sudo) end(host Host, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refusal *SudoError
	switch {
	case err == nil:
		s.accepted = true
	case errors.As(err, &refusal) && refusal.Fault == SudoWrongPassword:
		if s.refused == nil {
			s.refused = map[string]*SudoError{}
		}
		s.refused[host.Name] = refusal
		if !s.accepted {
			s.first = refusal
		}
	}
	if s.trying != nil { // once it was accepted, none is alone
		close(s.trying)
		s.trying = nil
	}
}
