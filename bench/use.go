package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// use is what a node uses of a machine.
type use struct {
	cpu, corosync  time.Duration
	received, sent int64 // bytes
}

func (u use) less(before use) use {
	return use{u.cpu - before.cpu, u.corosync - before.corosync, u.received - before.received, u.sent - before.sent}
}

// firstPIDs are the first processes of the nodes, as this machine numbers them.
func firstPIDs(nodes []cluster.Node) ([]string, error) {
	args := []string{"container", "inspect", "--format", "{{.State.Pid}}"}
	for _, node := range nodes {
		args = append(args, node.ID)
	}
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("find the processes of nodes: %w", err)
	}
	return strings.Fields(string(out)), nil
}

func uses(pids []string) ([]use, error) {
	corosync, err := corosyncs()
	if err != nil {
		return nil, err
	}
	var all []use
	for _, pid := range pids {
		group, err := controlGroup(pid)
		if err != nil {
			return nil, err
		}
		u := use{corosync: corosync[group]}
		if u.cpu, err = processorTime(group); err != nil {
			return nil, err
		}
		if u.received, u.sent, err = traffic(pid); err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

// controlGroup is the directory that counts the processor time of the container of
// a process: of the controller cpuacct in version 1 of control groups, and of the
// only hierarchy in version 2, where systemd's own group is inside that of the
// container. (Version 2 was not tried.)
func controlGroup(pid string) (string, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "cgroup"))
	if err != nil {
		return "", err
	}
	unified := ""
	for row := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(row), ":", 3)
		if len(fields) != 3 {
			continue
		}
		path := containerOf(fields[2])
		if slices.Contains(strings.Split(fields[1], ","), "cpuacct") {
			return "/sys/fs/cgroup/cpuacct" + path, nil
		}
		if fields[1] == "" {
			unified = "/sys/fs/cgroup" + path
		}
	}
	if unified == "" {
		return "", fmt.Errorf("process %s is in no control group", pid)
	}
	return unified, nil
}

// containerOf leaves out of a control group what is inside the container.
func containerOf(path string) string {
	for _, inside := range []string{"/init.scope", "/system.slice/corosync.service"} {
		path = strings.TrimSuffix(path, inside)
	}
	return path
}

func processorTime(group string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(group, "cpuacct.usage"))
	if err == nil {
		nanoseconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Duration(nanoseconds), err
	}
	if text, err = os.ReadFile(filepath.Join(group, "cpu.stat")); err != nil {
		return 0, err
	}
	microseconds, err := strconv.ParseInt(strings.Fields(between(string(text), "usage_usec ", "\n"))[0], 10, 64)
	return time.Duration(microseconds) * time.Microsecond, err
}

// corosyncs are the processor times of all Corosyncs of this machine, by the control
// group of their container.
func corosyncs() (map[string]time.Duration, error) {
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return nil, err
	}
	found := map[string]time.Duration{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || strings.TrimSpace(string(text)) != "corosync" {
			continue // most have ended meanwhile, or are something else
		}
		dir := filepath.Dir(name)
		group, err := controlGroup(filepath.Base(dir))
		if err != nil {
			return nil, err
		}
		text, err = os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			return nil, err
		}
		// proc(5): utime and stime are the 12th and 13th after the name, in ticks.
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			return nil, fmt.Errorf("read %s/stat: %q", dir, text)
		}
		user, err1 := strconv.Atoi(fields[11])
		system, err2 := strconv.Atoi(fields[12])
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read %s/stat: %w", dir, err)
		}
		found[group] = time.Duration(user+system) * tick
	}
	return found, nil
}

// tick is the unit of times in /proc, USER_HZ of Linux.
const tick = 10 * time.Millisecond

// traffic is what went through the interfaces of the network of a process but
// loopback.
func traffic(pid string) (received, sent int64, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "net/dev"))
	if err != nil {
		return 0, 0, err
	}
	for row := range strings.Lines(string(text)) {
		device, counts, ok := strings.Cut(strings.TrimSpace(row), ":")
		fields := strings.Fields(counts)
		if !ok || device == "lo" || len(fields) < 9 {
			continue
		}
		in, err1 := strconv.ParseInt(fields[0], 10, 64)
		out, err2 := strconv.ParseInt(fields[8], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return 0, 0, fmt.Errorf("read traffic of process %s: %w", pid, err)
		}
		received, sent = received+in, sent+out
	}
	return received, sent, nil
}
