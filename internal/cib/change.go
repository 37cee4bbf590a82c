package cib

import (
	"encoding/xml"
	"fmt"
	"strconv"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Change is a part of the resources section: what of some services is to be
// different. Written over the section, it leaves alone what it does not name.
type Change struct {
	XMLName    xml.Name        `xml:"resources"`
	Primitives []changedFields `xml:"primitive"`
}

type changedFields struct {
	ID       string        `xml:"id,attr"`
	Meta     *AttributeSet `xml:"meta_attributes,omitempty"`
	Instance *AttributeSet `xml:"instance_attributes,omitempty"`
}

// Restart adds that a service is restarted: see [Primitive.NextGeneration].
func (c *Change) Restart(primitive Primitive) error {
	next, err := primitive.NextGeneration()
	if err != nil {
		return err
	}
	c.Primitives = append(c.Primitives, changedFields{ID: primitive.ID,
		Instance: &AttributeSet{ID: primitive.Instance.ID, Pairs: []Attribute{next}}})
	return nil
}

// Candidates adds that a service may run on other nodes: 1 to [MaxCandidates].
func (c *Change) Candidates(primitive Primitive, nodes []string) {
	c.Primitives = append(c.Primitives, changedFields{ID: primitive.ID,
		Meta: &AttributeSet{ID: primitive.Meta.ID, Pairs: primitive.withCandidates(nodes)}})
}

// Services are the ids of the services that are changed.
func (c *Change) Services() []string {
	ids := make([]string, 0, len(c.Primitives))
	for _, primitive := range c.Primitives {
		id, _ := cluster.ServiceIDOf(primitive.ID)
		ids = append(ids, id)
	}
	return ids
}

// Empty reports whether nothing is to change.
func (c *Change) Empty() bool { return len(c.Primitives) == 0 }

// withCandidates are the pairs that, written over those of the same ids, give
// the service other nodes to run on: 1 to [MaxCandidates].
func (p Primitive) withCandidates(nodes []string) []Attribute {
	meta := map[string]string{}
	for i := range MaxCandidates {
		name := candidate(i)
		if i < len(nodes) {
			meta[name] = nodes[i]
		} else if _, was := p.Meta.values()[name]; was {
			meta[name] = "" // the name of no node
		}
	}
	return ownAttributes("meta", p.ID, meta).Pairs
}

// NextGeneration is the pair that, written over the one of the same id, makes
// Pacemaker restart the service.
func (p Primitive) NextGeneration() (Attribute, error) {
	for _, pair := range p.Instance.Pairs {
		if pair.Name != generation {
			continue
		}
		n, err := strconv.Atoi(pair.Value)
		if err != nil {
			return Attribute{}, fmt.Errorf("read generation of resource %q: %w", p.ID, err)
		}
		pair.Value = strconv.Itoa(n + 1)
		return pair, nil
	}
	return Attribute{}, fmt.Errorf("resource %q has no generation", p.ID)
}
