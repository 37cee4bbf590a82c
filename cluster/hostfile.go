package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// SplitHosts takes apart a file that holds a host as a JSON object, or a JSON array
// of them, into words for [ParseHosts]. What is wrong with one host by itself is a
// fault already: all come back at once, as an [*InvalidError] that names the file and
// the line of the host.
func SplitHosts(file string, text []byte) ([]string, error) {
	fail := func(faults ...Fault) ([]string, error) { return nil, invalid("hosts of "+file, faults) }
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return fail(Fault{Problem: "it is empty: " + hostFileForms})
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return fail(Fault{Problem: brokenObject(text, err)})
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if trimmed[0] == '[' {
		_, _ = decoder.Token() // it is there: all of the text is JSON
	}
	var words []string
	var faults []Fault
	for decoder.More() {
		var host json.RawMessage
		if err := decoder.Decode(&host); err != nil {
			return fail(Fault{Problem: err.Error()})
		}
		start := int(decoder.InputOffset()) - len(host)
		faults = append(faults, faultsOfLine(bytes.Count(text[:start], []byte("\n"))+1, string(host))...)
		words = append(words, string(host))
	}
	if len(words) == 0 {
		return fail(Fault{Problem: "there is no host in it: " + hostFileForms})
	}
	if len(faults) > 0 {
		return fail(faults...)
	}
	return words, nil
}

const hostFileForms = `give an object, {"dns_name": …}, or an array of them`

// faultsOfLine are those of a host that begins in a line.
func faultsOfLine(line int, host string) []Fault {
	where := fmt.Sprintf("line %d", line)
	if !isObject(host) {
		return []Fault{{Field: where, Problem: "it is not a host: " + hostFileForms}}
	}
	_, _, faults := parseHost(host)
	for i := range faults {
		if faults[i].Field != "" {
			faults[i].Field = where + ": " + faults[i].Field
			continue
		}
		faults[i].Field = where
	}
	return faults
}
