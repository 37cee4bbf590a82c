package pacemaker

import (
	"context"
	"encoding/xml"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// Restart implements engine.Engine.
func (e *Engine) Restart(ctx context.Context, ids []string) ([]engine.Added, error) {
	begin := time.Now()
	s, err := e.session(ctx)
	if err != nil {
		return nil, err
	}
	mon := s.view.mon
	primitives, err := e.find(s.view.resources, ids)
	if err != nil || len(primitives) == 0 {
		return nil, err
	}
	previous := map[string]string{}
	change := generations{}
	for i, primitive := range primitives {
		previous[ids[i]] = mon.StartedAs(ids[i])
		next, err := primitive.NextGeneration()
		if err != nil {
			return nil, err
		}
		change.Primitives = append(change.Primitives, generationOf(primitive, next))
	}
	if err := s.modify(ctx, change); err != nil {
		return nil, err
	}
	if err := s.forget(ctx, mon, primitives); err != nil {
		return nil, err
	}
	restarted, failed := s.waitRunning(ctx, primitives, begin, previous)
	return restarted, s.explain(ctx, failed, "restart")
}

// forget clears the failures of those services that have any, so that they are
// started where they had been given up.
func (s *session) forget(ctx context.Context, mon cib.Mon, primitives []cib.Primitive) error {
	for _, primitive := range primitives {
		status, err := mon.ServiceStatus(primitive)
		if err != nil {
			return err
		}
		if status.Failures == 0 {
			continue
		}
		if _, err := s.client.Output(ctx, "crm_resource", "--cleanup", "--resource", primitive.ID); err != nil {
			return err
		}
	}
	return nil
}

// generations is the part of the resources section that a restart writes.
type generations struct {
	XMLName    xml.Name              `xml:"resources"`
	Primitives []generationPrimitive `xml:"primitive"`
}

type generationPrimitive struct {
	ID       string           `xml:"id,attr"`
	Instance cib.AttributeSet `xml:"instance_attributes"`
}

func generationOf(primitive cib.Primitive, next cib.Attribute) generationPrimitive {
	return generationPrimitive{ID: primitive.ID,
		Instance: cib.AttributeSet{ID: primitive.Instance.ID, Pairs: []cib.Attribute{next}}}
}
