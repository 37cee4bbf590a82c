package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// HostFence is a fence agent, under the key "agent", and its parameters by name,
// as its manual page has them: fence_ipmilan(8), for example. Or the agent is "sbd",
// with the parameters "watchdog" and "timeout": see [Watchdog]. They stand in the
// cluster's configuration, which root and the group haclient can read on its nodes.
// As a text its values are hidden, as in [HostFence.Masked]; as JSON they are not.
type HostFence map[string]string

const agentKey = "agent"

// Hidden is shown instead of a value that others must not see.
const Hidden = "…"

// fenceAgent is how fence agents are called (ClusterLabs, Fence Agent API).
var fenceAgent = regexp.MustCompile(`^fence_[a-z0-9_]+$`)

// Split returns the agent and its parameters.
func (f HostFence) Split() (agent string, parameters map[string]string) {
	parameters = maps.Clone(map[string]string(f))
	delete(parameters, agentKey)
	return f[agentKey], parameters
}

// Masked is the same with [Hidden] as the value of every parameter: which of them are
// secret only the agent knows.
func (f HostFence) Masked() HostFence {
	masked := maps.Clone(f)
	for name := range masked {
		if name != agentKey {
			masked[name] = Hidden
		}
	}
	return masked
}

// Format prints it masked, with every verb: people print structures whole.
func (f HostFence) Format(out fmt.State, verb rune) {
	_, _ = fmt.Fprintf(out, fmt.FormatString(out, verb), map[string]string(f.Masked()))
}

// Masked is the spec with the parameters of all fence agents hidden, for people and
// logs.
func (s Spec) Masked() Spec {
	s.Hosts = slices.Clone(s.Hosts)
	for i := range s.Hosts {
		s.Hosts[i].Fence = s.Hosts[i].Fence.Masked()
	}
	return s
}

func (f HostFence) faults() []Fault {
	if len(f) == 0 {
		return nil
	}
	if f[agentKey] == sbdAgent {
		return f.watchdogFaults()
	}
	var faults []Fault
	if agent := f[agentKey]; !fenceAgent.MatchString(agent) {
		faults = append(faults, Fault{Field: "fence: " + agentKey, Problem: fmt.Sprintf(
			"%q cannot be a fence agent: they are called fence_ipmilan, fence_virsh and so on, or it is %s", agent, sbdAgent)})
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if strings.HasPrefix(name, "pcmk_") || !word.MatchString(name) {
			faults = append(faults, Fault{Field: "fence: " + name, Problem: "is no parameter of an agent's own"})
		}
		if f[name] == Hidden {
			faults = append(faults, Fault{Field: "fence: " + name, Problem: fmt.Sprintf("%q only stands for a value: give the value", Hidden)})
		}
		if problem := textFault(f[name]); problem != "" {
			faults = append(faults, Fault{Field: "fence: " + name, Problem: problem})
		}
	}
	return faults
}

// fenceFaults are what is wrong with the fencing of hosts taken together.
func (s Spec) fenceFaults() []Fault {
	var with, without []string
	for _, host := range s.Hosts {
		if len(host.Fence) > 0 {
			with = append(with, host.Name)
		} else {
			without = append(without, host.Name)
		}
	}
	switch {
	case len(with) == 0:
		return nil
	case s.Engine == Direct:
		return []Fault{{Field: "fence", Problem: "has no meaning with the engine direct, under which nothing starts elsewhere: use --engine=pacemaker"}}
	case len(without) > 0:
		return []Fault{{Field: "fence", Problem: fmt.Sprintf("%s: nothing would switch it off, and what runs there would never start elsewhere: "+
			"say it of every host, or of none", strings.Join(without, ", "))}}
	}
	if problem := s.watchdogFault(); problem != "" {
		return []Fault{{Field: "fence", Problem: problem}}
	}
	return nil
}
