package keeper

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Identity is a process: its id alone may have gone to another one since.
type Identity struct {
	PID int `json:"pid"`
	// Began is its start time in clock ticks since boot (proc(5), starttime).
	Began uint64 `json:"began"`
}

// alive reports whether the process is still there, and no zombie.
func (i Identity) alive() bool {
	entry, ok := readEntry(i.PID)
	return ok && entry.Began == i.Began
}

// entry is what we read of a process.
type entry struct {
	Identity
	parent  int
	session int
}

// readEntry reads /proc/PID/stat; ok is false for a process that is gone, or
// dead and not collected yet.
func readEntry(pid int) (entry, bool) {
	if pid <= 0 {
		return entry{}, false
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return entry{}, false
	}
	return parseStat(pid, content)
}

// parseStat reads what stands behind the name of the program, which is in
// parentheses and may hold any.
func parseStat(pid int, content []byte) (entry, bool) {
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	const state, parent, session, began = 0, 1, 3, 19 // proc(5), from its third on
	if len(fields) <= began || strings.Contains("ZXx", fields[state]) {
		return entry{}, false
	}
	e := entry{Identity: Identity{PID: pid}}
	var errs [3]error
	e.parent, errs[0] = strconv.Atoi(fields[parent])
	e.session, errs[1] = strconv.Atoi(fields[session])
	e.Began, errs[2] = strconv.ParseUint(fields[began], 10, 64)
	return e, errs == [3]error{}
}

// table is all processes that can be seen.
type table map[int]entry

func readTable() (table, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	t := table{}
	for _, name := range names {
		pid, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		if e, ok := readEntry(pid); ok {
			t[pid] = e
		}
	}
	return t, nil
}

// below are the descendants of a process, the oldest first.
func (t table) below(ancestor int) []Identity {
	var found []Identity
	for pid, e := range t {
		for up, steps := e.parent, 0; up > 0 && steps < len(t); up, steps = t[up].parent, steps+1 {
			if up == ancestor {
				found = append(found, t[pid].Identity)
				break
			}
		}
	}
	return sorted(found)
}

// inSession are the processes of a session.
func (t table) inSession(session int) []Identity {
	var found []Identity
	for _, e := range t {
		if e.session == session {
			found = append(found, e.Identity)
		}
	}
	return found
}

// marked are the processes whose environment names the run. It finds those that
// lost their parents; one that wrote over its environment it does not.
func (t table) marked(run string) []Identity {
	var found []Identity
	mark := []byte(runVariable + "=" + run)
	for pid, e := range t {
		environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err != nil {
			continue // of another user
		}
		for variable := range bytes.SplitSeq(environ, []byte{0}) {
			if bytes.Equal(variable, mark) {
				found = append(found, e.Identity)
			}
		}
	}
	return found
}

// sorted puts the oldest first, each once.
func sorted(all []Identity) []Identity {
	slices.SortFunc(all, func(a, b Identity) int {
		if a.Began != b.Began {
			return int(int64(a.Began) - int64(b.Began))
		}
		return a.PID - b.PID
	})
	return slices.Compact(all)
}

func me() Identity {
	e, _ := readEntry(os.Getpid())
	return e.Identity
}

// runVariable marks the environment of all processes of a run.
const runVariable = "SIRIKATA_RUN"

// bootID identifies the time since the host, or the container that it is, was
// started: process ids mean nothing beyond it. A container has the boot id of
// its host, so that its first process has to tell.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	first, _ := readEntry(1) // not everybody may see it (proc(5), hidepid)
	return fmt.Sprintf("%s/%d", bytes.TrimSpace(id), first.Began), nil
}

// parentOf is the parent of a process, dead ones that were not collected too; 0
// if there is no such process.
func parentOf(pid int) int {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
