package drill

import (
	"slices"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Act is what is done to a node. Exactly one field is set, or none.
type Act struct {
	// Power is the verb of a command of ours: kill or start.
	Power string
	// Engine is the verb of a command of the container engine.
	Engine string
	// Script is run on the node by a shell, as root, with these variables:
	// PEERS, the addresses of all other nodes, and SERVICE, the service that
	// the fault is about.
	Script string
}

// Kind is one way in which a node or a service breaks.
type Kind struct {
	Name string
	// Roles are those of the nodes that it can hit.
	Roles []cluster.Role
	// OfService is true if it hits a service, wherever that runs.
	OfService bool
	// Loses is true if the cluster may have to do without the node.
	Loses bool
	// Shortest and Longest are for how long it lasts. If they are 0, what was
	// broken is left as it is: whoever can mend it has to.
	Shortest, Longest time.Duration
	// Begin breaks it; End ends what the fault itself keeps up, and must not
	// mend what came of it. End is not an error where the fault is over already,
	// because the node was fenced meanwhile.
	Begin, End Act
}

var (
	anyRole = []cluster.Role{cluster.Full, cluster.Remote}
	full    = []cluster.Role{cluster.Full}
	remote  = []cluster.Role{cluster.Remote}
)

// catalogue returns all kinds of faults.
func catalogue() []Kind {
	kinds := []Kind{
		{Name: "power off", Roles: anyRole, Loses: true, Shortest: 2 * time.Second, Longest: 12 * time.Second,
			Begin: Act{Power: "kill"}, End: Act{Power: "start"}},
		{Name: "freeze", Roles: anyRole, Loses: true, Shortest: time.Second, Longest: 15 * time.Second,
			Begin: Act{Engine: "pause"}, End: Act{Engine: "unpause"}},
		cut("cut off both ways", cutIn+cutOut),
		cut("cut off, hears nobody", cutIn),
		cut("cut off, nobody hears it", cutOut),
		{Name: "kill service", OfService: true, Begin: Act{Script: killService}},
		killed("sshd", anyRole, false),
		killed("pacemaker-remoted", remote, true),
		{Name: "disk full", Roles: anyRole, Loses: true, Shortest: 3 * time.Second, Longest: 10 * time.Second,
			Begin: Act{Script: fillDisk}, End: Act{Script: freeDisk}},
		{Name: "/run full", Roles: anyRole, Loses: true, Shortest: 3 * time.Second, Longest: 10 * time.Second,
			Begin: Act{Script: fillRun}, End: Act{Script: freeRun}},
	}
	for _, daemon := range Daemons(cluster.Full) {
		kinds = append(kinds, killed(daemon, full, true))
	}
	return kinds
}

// Daemons are the names of the processes that make a node of a role a part of
// the cluster.
func Daemons(role cluster.Role) []string {
	if role == cluster.Remote {
		return []string{"pacemaker-remoted"}
	}
	return []string{"corosync", "pacemakerd", "pacemaker-based", "pacemaker-controld", "pacemaker-execd",
		"pacemaker-fenced", "pacemaker-attrd", "pacemaker-schedulerd"}
}

// ProcessName is the name of a daemon's process: the kernel keeps 15 bytes
// (proc_pid_comm(5)).
func ProcessName(daemon string) string { return daemon[:min(len(daemon), 15)] }

func killed(daemon string, roles []cluster.Role, loses bool) Kind {
	return Kind{Name: "kill " + daemon, Roles: roles, Loses: loses,
		Begin: Act{Script: "pkill -KILL -x " + ProcessName(daemon)}}
}

func cut(name, rules string) Kind {
	return Kind{Name: name, Roles: anyRole, Loses: true, Shortest: time.Second, Longest: 15 * time.Second,
		Begin: Act{Script: `change=-I; set -e; for peer in $PEERS; do ` + rules + `done`},
		// A node that was fenced meanwhile has no rules left to delete.
		End: Act{Script: `change=-D; for peer in $PEERS; do ` + rules + `done 2>/dev/null; ! iptables -S | grep DROP`}}
}

// Only what goes between nodes is cut: the operator and the referee still reach
// the node, and it them.
const (
	cutIn  = `iptables -w $change INPUT -s $peer -j DROP; `
	cutOut = `iptables -w $change OUTPUT -d $peer -j DROP; `
)

// killService kills the main process; children of it live on. There is none if
// the service has just been stopped, for another fault.
const killService = `unit="sirikata-$SERVICE.service"` + killUnit

const killUnit = `
pid=$(systemctl show --property MainPID --value "$unit")
[ "$pid" = 0 ] || kill -KILL "$pid"
`

// killOne kills a service of the node, if it has one, so that a start is due
// there while the disk is full.
const killOne = `
unit=$(systemctl list-units --plain --no-legend --state=running 'sirikata-lease-*.service' | head -n 1 | cut -d ' ' -f 1)
[ -n "$unit" ] || exit 0
` + killUnit

// shrink leaves a tmpfs no room. A size of 0 would be no limit (tmpfs(5)).
const shrink = `
shrink() {
    used=$(df -k --output=used "$1" | tail -n 1 | tr -d ' ')
    [ "$used" -gt 0 ]
    mount -o remount,size="${used}k" "$1"
}
`

// A node's disk is the host's, so it cannot be filled. Instead the directories
// into which the cluster's daemons write are copied into a small file system in
// memory, which is put in their place, and which is then made no larger than
// what is in it. Files that were open before stay where they are.
//
// Afterwards it stays in place, large enough, and is copied to the disk, so
// that a node that loses power later comes back with what it had then.
const fillDisk = `set -e
disk=/tmp/drill/disk
if ! mountpoint -q $disk; then
    mkdir -p $disk /tmp/drill/below
    mount -t tmpfs -o size=256m,mode=755 drill $disk
    mount --bind / /tmp/drill/below
    for dir in /var/lib/pacemaker /var/lib/corosync /var/log /home/sirikata; do
        [ -d $dir ] || continue
        mkdir -p $disk$dir
        cp -a $dir/. $disk$dir/
        mount --bind $disk$dir $dir
    done
fi
` + shrink + `shrink $disk
` + killOne

const freeDisk = `disk=/tmp/drill/disk
mountpoint -q $disk || exit 0
mount -o remount,size=256m $disk && cp -a $disk/. /tmp/drill/below/`

const fillRun = `set -e
df -k --output=size /run | tail -n 1 | tr -d ' ' >/tmp/drill-run-size
` + shrink + `shrink /run
` + killOne

const freeRun = `[ -f /tmp/drill-run-size ] || exit 0
mount -o remount,size="$(cat /tmp/drill-run-size)k" /run && rm /tmp/drill-run-size`

// hits reports whether a fault of that kind can hit a node of the role.
func (k Kind) hits(role cluster.Role) bool { return slices.Contains(k.Roles, role) }
