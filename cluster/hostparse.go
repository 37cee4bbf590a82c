package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ParseHosts reads what the user gave as the nodes of an ad-hoc cluster: a host
// name, an alias of ~/.ssh/config or an IP address, each with USER@ before it
// and :PORT behind it if need be ([ADDRESS]:PORT for IPv6); the word
// "localhost", which is this machine without SSH; or a JSON object. It gives
// them the indexes from first on, and names that no other host and none of
// taken has. capabilities are by name. All faults come back at once, as one
// [*InvalidError].
func ParseHosts(words []string, first int, taken []Host) (hosts []Host, capabilities map[string][]string, err error) {
	var faults []Fault
	offers := make([][]string, len(words))
	for i, word := range words {
		index := first + i
		host, offer, wrong := parseHost(word)
		for _, fault := range wrong {
			faults = append(faults, ofNode(index, word, fault))
		}
		host.Index, offers[i] = index, offer
		hosts = append(hosts, host)
	}
	if len(faults) == 0 {
		faults = nameHosts(hosts, taken)
	}
	if len(faults) > 0 {
		return nil, nil, invalid("nodes", faults)
	}
	capabilities = map[string][]string{}
	for i, host := range hosts {
		if len(offers[i]) > 0 {
			capabilities[host.Name] = offers[i]
		}
	}
	return hosts, capabilities, nil
}

// ofNode says of which node a fault is.
func ofNode(index int, word string, fault Fault) Fault {
	field := fmt.Sprintf("node %d", index)
	if word != "" && !hasJSON(word) {
		field += fmt.Sprintf(" (%s)", word)
	}
	if fault.Field != "" {
		field += ": " + fault.Field
	}
	return Fault{Field: field, Problem: fault.Problem}
}

func isObject(word string) bool { return strings.HasPrefix(strings.TrimSpace(word), "{") }

// hasJSON reports whether a word looks like JSON, or a piece of it that the shell
// cut off: there may be a password in it, so it is not repeated.
func hasJSON(word string) bool { return strings.ContainsAny(word, `{}"`) }

// QuoteWord quotes a word of the command line for a message, or [Hidden] instead of
// one that may be a host as JSON.
func QuoteWord(word string) string {
	if hasJSON(word) {
		word = Hidden
	}
	return strconv.Quote(word)
}

func parseHost(word string) (host Host, offer []string, faults []Fault) {
	switch {
	case isObject(word):
		host, offer, faults = parseHostObject([]byte(word))
	case strings.TrimSpace(word) == "":
		return host, nil, []Fault{{Problem: "is empty: give a host name, or a JSON object"}}
	case hasJSON(word):
		return host, nil, []Fault{{Problem: "is no host name, and no JSON object in one word: put it in single quotes, or give a file"}}
	default:
		host, faults = parseHostWord(word)
	}
	if len(faults) > 0 {
		return host, nil, faults
	}
	return host, offer, host.faults()
}

// parseHostWord reads [USER@]HOST[:PORT].
func parseHostWord(word string) (Host, []Fault) {
	if word == thisMachine {
		return Host{DNSName: thisMachine, Transport: OnMachine}, nil
	}
	var host Host
	rest := word
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		host.Username, rest = rest[:at], rest[at+1:]
		if host.Username == "" {
			return host, []Fault{{Problem: "has no user before the @"}}
		}
	}
	host.DNSName = rest
	if _, err := netip.ParseAddr(rest); err == nil {
		return host, nil
	}
	name, port, found := cutPort(rest)
	if !found {
		return host, nil
	}
	host.DNSName = name
	number, err := strconv.Atoi(port)
	if err != nil || number < 1 {
		return host, []Fault{{Problem: fmt.Sprintf("%q is not a port: use 1 to %d", port, maxPort)}}
	}
	host.Port = number
	return host, nil
}

// cutPort cuts HOST:PORT and [HOST]:PORT.
func cutPort(text string) (name, port string, found bool) {
	if inside, ok := strings.CutPrefix(text, "["); ok {
		name, port, found = strings.Cut(inside, "]")
		if port == "" {
			return name, "", false
		}
		return name, strings.TrimPrefix(port, ":"), found
	}
	return strings.Cut(text, ":")
}

// parseHostObject reads a host with the names of its fields in JSON.
func parseHostObject(text []byte) (host Host, offer []string, faults []Fault) {
	var given map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&given); err != nil {
		return host, nil, []Fault{{Problem: brokenObject(text, err)}}
	}
	end := decoder.InputOffset()
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return host, nil, []Fault{{Problem: fmt.Sprintf("column %d: something follows the object", end+1)}}
	}
	var words offered
	fields := host.fields(&words)
	known := slices.Sorted(maps.Keys(fields))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		into, ok := fields[name]
		switch {
		case !ok:
			faults = append(faults, Fault{Field: name, Problem: "there is no such key" + proposal(nearestKey(name, known), "keys", known)})
		case string(given[name]) == "null":
			faults = append(faults, Fault{Field: name, Problem: "is null: leave it out"})
		default:
			if err := json.Unmarshal(given[name], into); err != nil {
				faults = append(faults, Fault{Field: name, Problem: wrongType(err)})
			}
		}
	}
	if host.Transport == OnMachine && host.DNSName == "" {
		host.DNSName = thisMachine
	}
	return host, words, faults
}

// fields are what may be said of a host, by the names in JSON.
func (h *Host) fields(offer *offered) map[string]any {
	return map[string]any{
		"dns_name": &h.DNSName, "username": &h.Username, "sirikata_path": &h.SirikataPath,
		"default_working_path": &h.WorkingPath, "workspace_path": &h.WorkspacePath, "capabilities": offer,
		"port": &h.Port, "name": &h.Name, "identity_file": &h.IdentityFile,
		"cluster_address": &h.ClusterAddress, "transport": &h.Transport, "fence": &h.Fence,
	}
}

// nearestKey is nearest for keys: people leave out a part of one more often than
// they mistype it.
func nearestKey(name string, known []string) string {
	if best := nearest(name, known); best != "" || len(name) <= 2 {
		return best
	}
	for _, key := range known {
		if strings.Contains(key, strings.ToLower(name)) || strings.Contains(strings.ToLower(name), key) {
			return key
		}
	}
	return ""
}

func brokenObject(text []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Sprintf("column %d: the JSON ends in the middle", len(text)+1)
	}
	before := text[:min(int(syntax.Offset), len(text))]
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	if lines := bytes.Count(before, []byte("\n")); lines > 0 {
		return fmt.Sprintf("line %d, column %d: %v", lines+1, max(column, 1), err)
	}
	return fmt.Sprintf("column %d: %v", max(column, 1), err)
}

// offered are capabilities: a list, or a text with commas.
type offered []string

// UnmarshalJSON takes both forms.
func (o *offered) UnmarshalJSON(text []byte) error {
	var list []string
	if err := json.Unmarshal(text, &list); err != nil {
		var one string
		if json.Unmarshal(text, &one) != nil {
			return errors.New("must be a text, with commas between several, or a list of texts")
		}
		list = strings.Split(one, ",")
	}
	for _, each := range list {
		each = strings.TrimSpace(each)
		if each == "" || slices.Contains(*o, each) {
			continue
		}
		if !word.MatchString(each) {
			return fmt.Errorf("%q: use letters, digits, _ . and -", each)
		}
		*o = append(*o, each)
	}
	return nil
}
