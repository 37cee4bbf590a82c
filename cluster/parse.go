package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ParseServices reads a JSON array of services, with the field names of
// [Service]. What is not given is as in a service that is added by hand: checks
// of [DefaultMonitor] seconds, and failover. All faults of all services come
// back at once, each as an [*InvalidError] that says which service and field;
// what is not JSON is one with the line and column.
func ParseServices(text []byte) ([]Service, error) {
	if !utf8.Valid(text) {
		return nil, invalidServices("the text is not UTF-8")
	}
	var elements []json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&elements); err != nil {
		return nil, notJSON(text, err)
	}
	if elements == nil {
		return nil, notAnArray()
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalidServices("something follows the array")
	}
	services := make([]Service, 0, len(elements))
	var faults []error
	first := map[string]int{}
	for i, element := range elements {
		service, err := parseService(i, element)
		faults = append(faults, err)
		if earlier, taken := first[service.ID]; taken && service.ID != "" {
			faults = append(faults, invalid(nameOf(i, service.ID), []Fault{{Field: "id",
				Problem: fmt.Sprintf("is that of service %d too", earlier)}}))
		} else {
			first[service.ID] = i
		}
		services = append(services, service)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return services, nil
}

func parseService(i int, element json.RawMessage) (Service, error) {
	service := Service{Monitor: DefaultMonitor, Failover: true}
	fields := service.fields()
	var given map[string]json.RawMessage
	if err := json.Unmarshal(element, &given); err != nil || given == nil {
		return service, invalid(nameOf(i, ""), []Fault{{Problem: "it is not an object: {\"id\": …}"}})
	}
	var faults []Fault
	for _, name := range slices.Sorted(maps.Keys(given)) {
		into, known := fields[name]
		if !known {
			known := slices.Sorted(maps.Keys(fields))
			faults = append(faults, Fault{Field: name, Problem: "there is no such field" + proposal(nearest(name, known), "fields", known)})
			continue
		}
		if string(given[name]) == "null" {
			faults = append(faults, Fault{Field: name, Problem: "is null: leave it out"})
		} else if err := json.Unmarshal(given[name], into); err != nil {
			faults = append(faults, Fault{Field: name, Problem: wrongType(err)})
		}
	}
	if len(faults) > 0 {
		return service, invalid(nameOf(i, service.ID), faults)
	}
	return service, service.Validate()
}

// fields are the fields of a service by their names in JSON.
func (s *Service) fields() map[string]any {
	return map[string]any{
		"id": &s.ID, "target": &s.Target, "command": &s.Command, "user": &s.User, "cwd": &s.Cwd, "env": &s.Env,
		"monitor": &s.Monitor, "failover": &s.Failover, "force_daemonize": &s.ForceDaemonize, "require": &s.Require,
	}
}

func nameOf(i int, id string) string {
	if id == "" {
		return fmt.Sprintf("service %d", i)
	}
	return fmt.Sprintf("service %d, %q", i, id)
}

func invalidServices(problem string) error { return invalid("services", []Fault{{Problem: problem}}) }

func notAnArray() error { return invalidServices("they are not an array: [{\"id\": …}, …]") }

// notJSON says where a text stops to be a JSON array.
func notJSON(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return notAnArray()
	case errors.As(err, &syntax):
		before := text[:min(int(syntax.Offset), len(text))]
		line := bytes.Count(before, []byte("\n")) + 1
		column := len(before) - bytes.LastIndexByte(before, '\n') - 1
		return invalidServices(fmt.Sprintf("line %d, column %d: %v", line, max(column, 1), err))
	}
	return invalidServices(fmt.Sprintf("the text ends in the middle: %v", err))
}

func wrongType(err error) string {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err.Error()
	}
	want := map[string]string{"string": "a text", "[]string": "a list of texts", "int": "a whole number", "cluster.Transport": "a text",
		"bool": "true or false", "map[string]string": "an object of texts", "cluster.HostFence": "an object of texts"}[kind.Type.String()]
	is := "a " + kind.Value
	if kind.Value == "array" || kind.Value == "object" {
		is = "an " + kind.Value
	}
	return fmt.Sprintf("is %s, but must be %s", is, want)
}

// nearest is the known name that a mistyped one probably means, or "".
func nearest(name string, known []string) string {
	best, distance := "", 3
	for _, candidate := range known {
		if d := editDistance(name, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// proposal proposes a name, or says what all of them are.
func proposal(best, things string, known []string) string {
	if best == "" {
		return fmt.Sprintf("; the %s are %s", things, strings.Join(known, ", "))
	}
	return fmt.Sprintf("; do you mean %q?", best)
}

// editDistance is the number of characters to change, add or drop.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
