package pacemaker

import (
	"encoding/xml"

	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// change is a part of the resources section: what of some services is to be
// different. What it does not name stays.
type change struct {
	XMLName    xml.Name          `xml:"resources"`
	Primitives []changePrimitive `xml:"primitive"`
}

type changePrimitive struct {
	ID       string            `xml:"id,attr"`
	Meta     *cib.AttributeSet `xml:"meta_attributes,omitempty"`
	Instance *cib.AttributeSet `xml:"instance_attributes,omitempty"`
}

// instance changes instance attributes of a service.
func (c *change) instance(primitive cib.Primitive, pairs ...cib.Attribute) {
	c.Primitives = append(c.Primitives, changePrimitive{ID: primitive.ID,
		Instance: &cib.AttributeSet{ID: primitive.Instance.ID, Pairs: pairs}})
}

// meta changes meta attributes of a service.
func (c *change) meta(primitive cib.Primitive, pairs ...cib.Attribute) {
	c.Primitives = append(c.Primitives, changePrimitive{ID: primitive.ID,
		Meta: &cib.AttributeSet{ID: primitive.Meta.ID, Pairs: pairs}})
}
