package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// compare lists what differs, by the names that spec.json uses, host by host. It
// may be shown to anybody.
func compare(have, want cluster.Spec) []string {
	differences := differ("", fields(have), fields(want))
	slices.Sort(differences)
	return differences
}

func differ(where string, have, want map[string]any) []string {
	var differences []string
	names := maps.Clone(have)
	maps.Copy(names, want)
	for name := range names {
		a, b := have[name], want[name]
		inside, isObject := a.(map[string]any)
		other, areObjects := b.(map[string]any)
		_, hidden := a.(secret)
		switch {
		case reflect.DeepEqual(a, b):
		case isObject && areObjects:
			differences = append(differences, differ(where+name+": ", inside, other)...)
		case hidden && b != nil:
			differences = append(differences, where+name+" is another one")
		default:
			differences = append(differences, fmt.Sprintf("%s%s is %s, not %s", where, name, show(a), show(b)))
		}
	}
	return differences
}

// secret is a value that is compared, but not shown.
type secret string

// MarshalJSON does not show it.
func (secret) MarshalJSON() ([]byte, error) { return json.Marshal(cluster.Hidden) }

func fields(spec cluster.Spec) map[string]any {
	m := object(spec)
	delete(m, "hosts")
	for _, host := range spec.Hosts {
		m["host "+host.Name] = hostFields(host)
	}
	return m
}

func hostFields(host cluster.Host) map[string]any {
	m := object(host)
	fence, ok := m["fence"].(map[string]any)
	if !ok {
		return m
	}
	for name, shown := range host.Fence.Masked() {
		if value := host.Fence[name]; shown != value {
			fence[name] = secret(value)
		}
	}
	return m
}

func object(v any) map[string]any {
	var m map[string]any
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		panic(fmt.Sprintf("store: a spec is not JSON: %v", err)) // it holds texts and numbers only
	}
	return m
}

func show(v any) string {
	if v == nil {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
