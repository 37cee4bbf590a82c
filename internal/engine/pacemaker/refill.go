package pacemaker

import "context"

// Refill implements engine.Engine.
func (e *Engine) Refill(ctx context.Context) error {
	s, err := e.session(ctx)
	if err != nil {
		return err
	}
	change, err := s.planner().Refill()
	if err != nil || change.Empty() {
		return err
	}
	return s.modify(ctx, change)
}
