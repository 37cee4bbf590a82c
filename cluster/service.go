package cluster

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Any is the target of a service that may run on any node.
const Any = "any"

// Words that are replaced inside the arguments of a command on the node, at
// each start, so that they are right after every failover.
const (
	PIDFileWord = "PIDFILE" // the path at which the daemon must write its pid
	FQDNWord    = "FQDN"    // the name by which clients reach the node
)

// DefaultMonitor is the default of [Service.Monitor], in seconds.
const DefaultMonitor = 10

// Service is one daemon that the cluster keeps running.
type Service struct {
	ID string `json:"id"`
	// Target is the name of a node, or [Any].
	Target string `json:"target"`
	// Command is the program, as an absolute path, and its arguments. They
	// reach the process unchanged but for [PIDFileWord] and [FQDNWord].
	Command []string `json:"command"`
	// User runs the command; empty means the cluster's service user.
	User string `json:"user,omitempty"`
	// Cwd is the working directory; empty means the cluster's working path.
	Cwd string `json:"cwd,omitempty"`
	// Env is added to the environment of the command.
	Env map[string]string `json:"env,omitempty"`
	// Monitor is the longest time in seconds for which one check of the
	// service lasts; a death is noticed at once whatever it is. 0 turns checks,
	// and with them the notice, off.
	Monitor int `json:"monitor"`
	// Failover, when false, leaves a service that died stopped where it is.
	Failover bool `json:"failover"`
	// ForceDaemonize marks a command that stays in the foreground.
	ForceDaemonize bool `json:"force_daemonize"`
	// Require is the capability a node must have to run this service.
	Require string `json:"require,omitempty"`
}

// serviceID is what Pacemaker accepts as the id of a resource (an XML NCName,
// here its ASCII part) and systemd as part of a unit name.
var serviceID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// word is a name that Pacemaker, useradd(8) and DNS all carry unchanged.
var word = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// maxMonitor is the longest check; with it a lost node agent is noticed within
// an hour.
const maxMonitor = 3600

// ValidateServiceID reports whether id can name a service.
func ValidateServiceID(id string) error {
	return invalid(fmt.Sprintf("service %q", id), idFaults(id))
}

func idFaults(id string) []Fault {
	if serviceID.MatchString(id) {
		return nil
	}
	return []Fault{{Field: "id", Problem: fmt.Sprintf(
		"%q is not a valid id: start with a letter or _, then letters, digits, _ . or -, 128 at most", id)}}
}

// Validate returns every fault of the service at once, as an [*InvalidError].
// Whether its target exists is for the engine to say.
func (s Service) Validate() error {
	faults := idFaults(s.ID)
	add := func(field, format string, args ...any) {
		faults = append(faults, Fault{Field: field, Problem: fmt.Sprintf(format, args...)})
	}
	switch {
	case s.Target == "":
		add("target", "is empty: name a node, or %q", Any)
	case !word.MatchString(s.Target):
		add("target", "%q cannot be a node's name", s.Target)
	}
	if s.User != "" && !word.MatchString(s.User) {
		add("user", "%q cannot be a user's name", s.User)
	}
	if s.Require != "" && !word.MatchString(s.Require) {
		add("require", "%q cannot be a capability: use letters, digits, _ . and -", s.Require)
	}
	switch {
	case len(s.Command) == 0:
		add("command", "is empty: give the program and its arguments")
	case !path.IsAbs(s.Command[0]):
		add("command", "%q is not an absolute path: services do not search PATH", s.Command[0])
	}
	for i, arg := range s.Command {
		if err := textFault(arg); err != "" {
			add("command", "argument %d %s", i, err)
		}
	}
	if s.Cwd != "" && !path.IsAbs(s.Cwd) {
		add("cwd", "%q is not an absolute path", s.Cwd)
	}
	if err := textFault(s.Cwd); err != "" {
		add("cwd", "%s", err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if !envName.MatchString(name) {
			add("env", "%q is not the name of a variable", name)
		}
		if err := textFault(s.Env[name]); err != "" {
			add("env", "%s %s", name, err)
		}
	}
	if s.Monitor < 0 || s.Monitor > maxMonitor {
		add("monitor", "%d is out of range: 0 (off) to %d seconds", s.Monitor, maxMonitor)
	}
	return invalid(fmt.Sprintf("service %q", s.ID), faults)
}

// textFault says why a text cannot be carried to a node unchanged, or "".
// JSON, which carries it, has no bytes that are not UTF-8; exec(3) has no NUL.
func textFault(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsRune(text, 0):
		return "holds a NUL character"
	}
	return ""
}

// UsesPIDFile reports whether the command names [PIDFileWord].
func (s Service) UsesPIDFile() bool {
	for _, arg := range s.Command {
		if strings.Contains(arg, PIDFileWord) {
			return true
		}
	}
	return false
}

// Equal reports whether both define the same service.
func (s Service) Equal(other Service) bool {
	if len(s.Env) == 0 && len(other.Env) == 0 {
		s.Env, other.Env = nil, nil
	}
	return reflect.DeepEqual(s, other)
}

// UnitName is the systemd unit in which a service runs on a node.
func UnitName(id string) string { return "sirikata-" + id + ".service" }

// resourcePrefix keeps the ids that users choose apart from all other ids in
// the cluster's configuration.
const resourcePrefix = "service-"

// ResourceName is the id of the cluster resource that a service is.
func ResourceName(id string) string { return resourcePrefix + id }

// ServiceIDOf is the inverse of [ResourceName]; ok is false for a resource
// that is not a service.
func ServiceIDOf(resource string) (id string, ok bool) {
	return strings.CutPrefix(resource, resourcePrefix)
}
