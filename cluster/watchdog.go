package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sbdAgent is the "agent" of hosts that switch themselves off: sbd(8), without a disk
// that they share.
const sbdAgent = "sbd"

// Its parameters.
const (
	watchdogKey = "watchdog" // the device
	timeoutKey  = "timeout"  // in seconds
)

// Watchdog is what resets a host on which sbd does not keep it alive: sbd does so as
// long as the host is in the part of the cluster that has quorum.
type Watchdog struct {
	Device  string
	Timeout time.Duration // whole seconds
}

// DefaultWatchdog is where Linux has it, with the time-out that sbd has by itself.
func DefaultWatchdog() Watchdog {
	return Watchdog{Device: "/dev/watchdog", Timeout: 5 * time.Second}
}

// Bounds of a watchdog's time-out. A busy host may well not be heard for 2 s. sbd begins
// after twice the time-out, and systemd waits 90 s for that.
const (
	minWatchdog = 3 * time.Second
	maxWatchdog = 30 * time.Second
)

// watchdogDevice is written to /etc/default/sbd as it is.
var watchdogDevice = regexp.MustCompile(`^/dev/[A-Za-z0-9_./-]+$`)

// Watchdog returns the host's, if that is what switches it off.
func (f HostFence) Watchdog() (watchdog Watchdog, is bool) {
	agent, parameters := f.Split()
	if agent != sbdAgent {
		return Watchdog{}, false
	}
	watchdog = DefaultWatchdog()
	if device, given := parameters[watchdogKey]; given {
		watchdog.Device = device
	}
	if seconds, err := strconv.Atoi(parameters[timeoutKey]); err == nil {
		watchdog.Timeout = time.Duration(seconds) * time.Second
	}
	return watchdog, true
}

// watchdogFaults are what is wrong with the parameters of sbd.
func (f HostFence) watchdogFaults() []Fault {
	known := []string{timeoutKey, watchdogKey}
	var faults []Fault
	_, parameters := f.Split()
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value, problem := parameters[name], ""
		switch name {
		case watchdogKey:
			if !watchdogDevice.MatchString(value) {
				problem = fmt.Sprintf("%q cannot be a watchdog: it is a device such as %s", value, DefaultWatchdog().Device)
			}
		case timeoutKey:
			seconds, err := strconv.Atoi(value)
			if d := time.Duration(seconds) * time.Second; err != nil || d < minWatchdog || d > maxWatchdog {
				problem = fmt.Sprintf("%q is not a time-out: use %.0f to %.0f, in seconds", value, minWatchdog.Seconds(), maxWatchdog.Seconds())
			}
		default:
			problem = "there is no such parameter of " + sbdAgent + proposal(nearestKey(name, known), "parameters", known)
		}
		if problem != "" {
			faults = append(faults, Fault{Field: "fence: " + name, Problem: problem})
		}
	}
	return faults
}

// WatchdogWait is how long after a node is lost the others take it for switched off by
// its own watchdog; 0 if that is not how the cluster fences. Pacemaker wants twice the
// time-out of the watchdog (Pacemaker Explained, stonith-watchdog-timeout), and has one
// for all nodes.
func (s Spec) WatchdogWait() time.Duration {
	var longest time.Duration
	for _, host := range s.Hosts {
		if watchdog, is := host.Fence.Watchdog(); is {
			longest = max(longest, watchdog.Timeout)
		}
	}
	return 2 * longest
}

// minWatched is how many nodes a cluster has at least that fence themselves: of two,
// either has quorum without the other.
const minWatched = 3

// watchdogFault is what is wrong with watchdogs of hosts taken together, or "".
func (s Spec) watchdogFault() string {
	var others []string
	for _, host := range s.Hosts {
		if _, is := host.Fence.Watchdog(); !is {
			others = append(others, host.Name)
		}
	}
	switch {
	case len(others) == len(s.Hosts):
		return ""
	case len(others) > 0:
		return fmt.Sprintf("%s: of a cluster with %s the others take every node that is lost for switched off by its own watchdog: "+
			"say it of every host, or of none", strings.Join(others, ", "), sbdAgent)
	case len(s.Hosts) < minWatched:
		return fmt.Sprintf("%s needs %d hosts or more: of two, each goes on without the other, and no watchdog switches it off: "+
			"add hosts, or use fence agents", sbdAgent, minWatched)
	}
	s.Size = len(s.Hosts)
	if full := s.WantedFull(); full < s.Size {
		return fmt.Sprintf("with %s every host must be a full node, and %d of %d would be: a remote node that is cut off goes on beside what replaces it: "+
			"take up to %d hosts, and no --full-nodes below their number, or use fence agents", sbdAgent, full, s.Size, MaxFull)
	}
	return ""
}

// ValidateFencing returns what [Spec.Validate] has to say about fencing alone.
func (s Spec) ValidateFencing() error {
	return invalid(fmt.Sprintf("cluster %q", s.Name), s.fenceFaults())
}
