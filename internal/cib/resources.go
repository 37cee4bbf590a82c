package cib

import (
	"encoding/xml"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Resources is the resources section of a CIB, services only.
type Resources struct {
	XMLName    xml.Name    `xml:"resources"`
	Primitives []Primitive `xml:"primitive"`
}

// ParseResources reads the output of [AskResources]. It leaves out what somebody made by other means, whatever its id.
func ParseResources(text []byte) (Resources, error) {
	var all Resources
	if err := xml.Unmarshal(text, &all); err != nil {
		return Resources{}, fmt.Errorf("read resources of the CIB: %w", err)
	}
	services := Resources{}
	for _, primitive := range all.Primitives {
		if _, ok := cluster.ServiceIDOf(primitive.ID); ok && primitive.ours() {
			services.Primitives = append(services.Primitives, primitive)
		}
	}
	return services, nil
}

// Find returns the primitive of the service with that id.
func (r Resources) Find(id string) (Primitive, bool) {
	for _, primitive := range r.Primitives {
		if primitive.ID == cluster.ResourceName(id) {
			return primitive, true
		}
	}
	return Primitive{}, false
}

// IDs are the ids of all services.
func (r Resources) IDs() []string {
	ids := make([]string, 0, len(r.Primitives))
	for _, primitive := range r.Primitives {
		id, _ := cluster.ServiceIDOf(primitive.ID)
		ids = append(ids, id)
	}
	return ids
}

// ServicesXPath selects the primitives of services. The ids must be valid,
// which leaves nothing in them to quote.
func ServicesXPath(ids []string) string {
	return "//resources/primitive[" + resourceTests(ids) + "]"
}
