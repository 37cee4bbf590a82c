package cluster

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// nameHosts names hosts that have no name yet, as none of them and none of taken
// is named.
func nameHosts(hosts, taken []Host) []Fault {
	var faults []Fault
	fault := func(host Host, format string, args ...any) {
		faults = append(faults, Fault{Field: fmt.Sprintf("node %d", host.Index), Problem: fmt.Sprintf(format, args...)})
	}
	byName, byPlace := map[string]Host{}, map[string]Host{}
	for _, host := range taken {
		byName[host.Name], byPlace[host.place()] = host, host
	}
	for i := range hosts { // names that were given come before those we make
		host := hosts[i]
		if other, there := byPlace[host.place()]; there {
			fault(host, "%s is node %d already", host.DNSName, other.Index)
		}
		byPlace[host.place()] = host
		if host.Name == "" {
			continue
		}
		if other, there := byName[host.Name]; there {
			fault(host, "the name %q is that of node %d too", host.Name, other.Index)
		}
		byName[host.Name] = host
	}
	if len(faults) > 0 {
		return faults
	}
	for i := range hosts {
		if hosts[i].Name != "" {
			continue
		}
		for _, name := range hosts[i].names() {
			if _, there := byName[name]; !there && nodeNameFault(name) == "" {
				hosts[i].Name = name
				break
			}
		}
		if hosts[i].Name == "" {
			fault(hosts[i], "no name for a node can be made of %s: give one, as {\"dns_name\": %q, \"name\": …}", hosts[i].DNSName, hosts[i].DNSName)
		}
		byName[hosts[i].Name] = hosts[i]
	}
	return faults
}

// place tells hosts apart.
func (h Host) place() string {
	if h.Transport == OnMachine {
		return string(OnMachine)
	}
	return fmt.Sprintf("%s:%d", strings.ToLower(h.DNSName), h.Port)
}

// names are those that a host may get, the best first.
func (h Host) names() []string {
	full := label(h.DNSName)
	names := []string{full}
	if _, err := netip.ParseAddr(h.DNSName); err != nil {
		first, _, _ := strings.Cut(h.DNSName, ".")
		names = []string{label(first), full}
	}
	if h.Port != 0 {
		names = append(names, fmt.Sprintf("%s-%d", full, h.Port))
	}
	return names
}

var noLabel = regexp.MustCompile(`[^a-z0-9]+`)

// label makes a DNS label of the name of a host.
func label(text string) string {
	return strings.Trim(noLabel.ReplaceAllString(strings.ToLower(text), "-"), "-")
}

var number = regexp.MustCompile(`^[0-9]+$`)

// nodeNameFault says why a name cannot be a node's, or "".
func nodeNameFault(name string) string {
	switch {
	case !dnsLabel.MatchString(name):
		return fmt.Sprintf("%q is not a DNS label: use 1 to 63 of a-z, 0-9 and -, with no - at either end", name)
	case number.MatchString(name):
		return fmt.Sprintf("%q would be taken for an index: use a letter, too", name)
	case name == Any:
		return fmt.Sprintf("%q means any node", name)
	}
	return ""
}
