package cluster

import (
	"maps"
	"slices"
)

// Past is which indexes a cluster has given to nodes in its life. The cluster keeps
// it too, so that an operator whose spec is older can catch up.
type Past struct {
	// Used is how many indexes were given: those of its nodes, and of nodes that
	// were removed. It never shrinks.
	Used int
	// Removed are those of nodes that were given up for good, in order.
	Removed []int
}

// Past is what the spec knows of it.
func (s Spec) Past() Past {
	removed := slices.Clone(s.Removed)
	slices.Sort(removed)
	return Past{Used: s.Size + len(removed), Removed: slices.Compact(removed)}
}

// And is what two know together, in any order.
func (p Past) And(other Past) Past {
	removed := slices.Concat(p.Removed, other.Removed)
	slices.Sort(removed)
	return Past{Used: max(p.Used, other.Used), Removed: slices.Compact(removed)}
}

// CaughtUp is the spec of the cluster with that past: it has all nodes that were
// ever added, but for those that were removed. The spec is returned as it is if it
// knew all of that.
func (s Spec) CaughtUp(past Past) Spec {
	all := s.Past().And(past)
	if size := all.Used - len(all.Removed); size != s.Size || len(all.Removed) != len(s.Removed) {
		s.Size = size
		for _, index := range all.Removed {
			s = s.giveUp(index)
		}
	}
	return s
}

// Without is the spec of the cluster without the node of that index, of which it
// remembers that it was removed. One that was removed already stays so.
func (s Spec) Without(index int) Spec {
	if slices.Contains(s.Removed, index) {
		return s
	}
	s.Size--
	return s.giveUp(index)
}

// giveUp notes that an index is of no node any more.
func (s Spec) giveUp(index int) Spec {
	if slices.Contains(s.Removed, index) {
		return s
	}
	s.Removed = append(slices.Clone(s.Removed), index)
	name := NodeName(index)
	at := slices.IndexFunc(s.Hosts, func(host Host) bool { return host.Index == index })
	if at >= 0 {
		name = s.Hosts[at].Name
		s.Hosts = slices.Delete(slices.Clone(s.Hosts), at, at+1)
	}
	s.Capabilities = maps.Clone(s.Capabilities)
	delete(s.Capabilities, name)
	if len(s.Capabilities) == 0 {
		s.Capabilities = nil
	}
	return s
}
