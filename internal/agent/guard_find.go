package agent

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// daemon is a process without which the others do not see what runs here.
type daemon struct {
	unit string // the systemd unit it belongs to
	name string // as the kernel has it
	pid  uint32
}

func (d daemon) String() string {
	return fmt.Sprintf("%s (process %d of %s)", d.name, d.pid, d.unit)
}

// The units whose daemons are watched.
const (
	corosyncUnit  = "corosync.service"
	pacemakerUnit = "pacemaker.service"
	remoteUnit    = "pacemaker_remote.service"
)

// Names of daemons as the kernel has them, which is 15 characters at most
// (proc_pid_comm(5)).
const (
	corosyncName   = "corosync"
	controllerName = "pacemaker-contr" // pacemaker-controld
	cibName        = "pacemaker-based"
	remoteName     = "pacemaker-remot" // pacemaker-remoted
)

// watchedNames are the daemons to watch, by unit. Pacemaker's master process,
// pacemakerd, is not among them: the others notice nothing of its death, and it
// finds its children again.
func watchedNames() map[string][]string {
	return map[string][]string{
		corosyncUnit:  {corosyncName},
		pacemakerUnit: {controllerName, cibName},
		remoteUnit:    {remoteName},
	}
}

// ofDaemon reports whether a unit is one of those whose daemons are watched.
func (u listedUnit) ofDaemon() bool { return watchedNames()[u.name] != nil }

// complete reports whether all daemons of a full node, or of a remote one, are
// among these.
func complete(daemons []daemon) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(daemons, func(d daemon) bool { return d.name == name })
	}
	return has(remoteName) || has(corosyncName) && has(controllerName) && has(cibName)
}

// findDaemons returns the daemons that are there.
func findDaemons(ctx context.Context, s guardedSystemd, inspect func(uint32) (process, error)) ([]daemon, error) {
	var found []daemon
	for unit, names := range watchedNames() {
		pids, err := s.processes(ctx, unit)
		if err != nil {
			return nil, err
		}
		there := map[uint32]process{}
		for _, pid := range pids {
			// What cannot be read has ended meanwhile.
			if p, err := inspect(pid); err == nil && slices.Contains(names, p.name) {
				there[pid] = p
			}
		}
		for pid, p := range there {
			// These daemons fork, to write to the disk or to run an agent, and a
			// fork has its parent's name until it executes something.
			if there[p.parent].name != p.name {
				found = append(found, daemon{unit, p.name, pid})
			}
		}
	}
	return found, nil
}

// process is what the kernel says of a process.
type process struct {
	name   string
	parent uint32
}

// readProcess reads /proc/PID/stat: "PID (NAME) STATE PARENT …", where the name
// may hold anything (proc_pid_stat(5)).
func readProcess(pid uint32) (process, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	return parseStat(string(content))
}

func parseStat(text string) (process, error) {
	begin, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return process{}, fmt.Errorf("no name in %q", text)
	}
	const parent = 1
	fields := strings.Fields(text[end+1:])
	if len(fields) <= parent {
		return process{}, fmt.Errorf("no parent in %q", text)
	}
	id, err := strconv.ParseUint(fields[parent], 10, 32)
	return process{name: text[begin+1 : end], parent: uint32(id)}, err
}
