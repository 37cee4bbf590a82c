package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every machine
// that Linux runs on today (proc_pid_stat(5), sysconf(3)).
const tick = 10 * time.Millisecond

// readDaemons returns what Corosync's and Pacemaker's daemons have used, by
// process.
func readDaemons() (map[int]usage, error) {
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return nil, err
	}
	up, err := parseUptime(string(uptime))
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	found, names := map[int]usage{}, clusterDaemons()
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		u, ok := parseUsage(string(text), up)
		if name := names[u.name]; ok && name != "" {
			u.name = name
			found[pid] = u
		}
	}
	return found, nil
}

// clusterDaemons are the daemons that make a cluster, by their names as the kernel
// has them.
func clusterDaemons() map[string]string {
	return map[string]string{
		corosyncName: "corosync", remoteName: "pacemaker-remoted",
		cibName: "pacemaker-based", controllerName: "pacemaker-controld", "pacemaker-sched": "pacemaker-schedulerd",
		"pacemaker-attrd": "pacemaker-attrd", "pacemaker-execd": "pacemaker-execd", "pacemaker-fence": "pacemaker-fenced",
		"pacemakerd": "pacemakerd",
	}
}

// parseUptime reads /proc/uptime (proc_uptime(5)).
func parseUptime(text string) (time.Duration, error) {
	first, _, _ := strings.Cut(text, " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0, fmt.Errorf("read /proc/uptime: %w", err)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// parseUsage reads /proc/PID/stat, see [parseStat].
func parseUsage(text string, up time.Duration) (usage, bool) {
	process, err := parseStat(text)
	if err != nil {
		return usage{}, false
	}
	// By their numbers in proc_pid_stat(5), of which the first two are cut off.
	const user, system, started, cut = 14, 15, 22, 3
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= started-cut {
		return usage{}, false
	}
	var ticks [3]time.Duration
	for i, number := range []int{user, system, started} {
		n, err := strconv.ParseInt(fields[number-cut], 10, 64)
		if err != nil {
			return usage{}, false
		}
		ticks[i] = time.Duration(n) * tick
	}
	return usage{name: process.name, cpu: ticks[0] + ticks[1], age: up - ticks[2]}, true
}
