package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// plan is a service made ready for this node: nothing in it is left to choose
// or to replace.
type plan struct {
	id      string
	command []string
	// program is the file of the command where links of a release are resolved;
	// empty where there are none.
	program string
	user    string
	cwd     string
	env     []string // KEY=VALUE, sorted
	// libraries is LD_LIBRARY_PATH where env does not set it.
	libraries string
	forking   bool
	pidFile   string // empty when the daemon is not followed by pid file
}

// property is one setting of a transient unit, as StartTransientUnit takes it
// (org.freedesktop.systemd1(5)).
type property struct {
	Name  string
	Value dbus.Variant
}

// execCommand is one element of ExecStart: a(sasb).
type execCommand struct {
	Path          string
	Args          []string
	IgnoreFailure bool
}

const (
	runtimeRoot = "sirikata" // below /run
	stopWait    = 6 * time.Second
	// Open files: many daemons need more than the usual 1024.
	softFiles, hardFiles uint64 = 65536, 524288
)

// newPlan fills in what the node knows: who runs the service and where unless
// the service says, the words in its arguments, and its libraries.
func newPlan(service cluster.Service, node cluster.NodeFile, libraries string) plan {
	pidFile := path.Join("/run", runtimeRoot, service.ID, service.ID+".pid")
	p := plan{
		id:      service.ID,
		command: keeper.Substitute(service.Command, pidFile, node.FQDN),
		user:    service.User,
		cwd:     service.Cwd,
		forking: !service.ForceDaemonize,
	}
	if p.user == "" {
		p.user = node.ServiceUser
	}
	if p.cwd == "" {
		p.cwd = node.WorkingPath
	}
	p.cwd = path.Clean(p.cwd)
	if p.forking && service.UsesPIDFile() {
		p.pidFile = pidFile
	}
	if _, set := service.Env[keeper.LibraryVariable]; !set {
		p.libraries = libraries
	}
	for name, value := range service.Env {
		p.env = append(p.env, name+"="+value)
	}
	sort.Strings(p.env)
	return p
}

// executed is the command as systemd gets it.
func (p plan) executed() []string {
	if p.program == "" {
		return p.command
	}
	return append([]string{p.program}, p.command[1:]...)
}

// properties is the unit of the plan.
//
// RemainAfterExit and the default CollectMode keep the unit, and with it the
// exit status and the link to its journal, after a death of any kind until the
// agent has read it; a reference on the bus would last only as long as the
// agent's connection, and be impossible on systemd's private socket.
//
// Before= is what Pacemaker gives its own systemd resources: at shutdown a
// service must be stopped by Pacemaker, not beside it. See systemd.stop for
// what follows from it.
func (p plan) properties(startWait time.Duration) []property {
	of := func(name string, value any) property {
		return property{Name: name, Value: dbus.MakeVariant(value)}
	}
	kind := "exec"
	if p.forking {
		kind = "forking"
	}
	properties := []property{
		of("Description", "Sirikata service "+p.id),
		of("Before", []string{pacemakerUnit, remoteUnit}),
		of("StopPropagatedFrom", []string{corosyncUnit, remoteUnit}),
		of("Type", kind),
		of("User", p.user),
		of("WorkingDirectory", p.cwd),
		of("Environment", p.environment()),
		of("ExecStart", []execCommand{{p.executed()[0], escapeVariables(p.executed()), false}}),
		of("RuntimeDirectory", []string{path.Join(runtimeRoot, p.id)}),
		of("Restart", "no"),
		of("RemainAfterExit", true),
		of("KillMode", "control-group"),
		of("TimeoutStartUSec", uint64(startWait.Microseconds())),
		of("TimeoutStopUSec", uint64(stopWait.Microseconds())),
		of("LimitNOFILE", hardFiles), // sets both; so the soft one comes after it
		of("LimitNOFILESoft", softFiles),
		of("SyslogIdentifier", p.id),
		of("StandardOutput", "journal"),
		of("StandardError", "journal"),
	}
	if p.pidFile != "" {
		properties = append(properties, of("PIDFile", p.pidFile))
	}
	return properties
}

func (p plan) environment() []string {
	if p.libraries == "" {
		return p.env
	}
	return append([]string{keeper.LibraryVariable + "=" + p.libraries}, p.env...)
}

// escapeVariables keeps systemd from expanding $NAME in arguments
// (systemd.service(5), "Command Lines"). There is a flag for that in
// ExecStartEx, but systemd 252 writes that name into the unit's file, where it
// is unknown, and at the next daemon-reload the unit has no command.
func escapeVariables(command []string) []string {
	out := make([]string, len(command))
	for i, arg := range command {
		out[i] = strings.ReplaceAll(arg, "$", "$$")
	}
	return out
}

// digest identifies what the plan runs, and how. The release's program and libraries
// are left out: a switched release must not restart what runs.
func (p plan) digest() string {
	// Only texts: there is nothing that can fail.
	encoded, _ := json.Marshal([]any{p.command, p.user, p.cwd, p.env, p.forking, p.pidFile})
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}
