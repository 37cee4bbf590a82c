//go:build lab

package puppet

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// fingerprintScript prints all that a host is, but for times: packages, units,
// accounts, routes, and every file with its mode, owner, size and content.
const fingerprintScript = `
export LC_ALL=C
dpkg-query -W -f 'package ${db:Status-Abbrev}${binary:Package} ${Version}\n'
apt-mark showmanual | sed 's/^/manual /'
dpkg-statoverride --list | sed 's/^/override /'
systemctl list-unit-files --no-legend | awk '{ print "unit", $1, $2 }'
systemctl list-units --no-legend --plain --state=active --type=service,timer,socket,path | awk '{ print "active", $1 }'
getent passwd | sed 's/^/passwd /'
getent group | sed 's/^/group /'
ip route | sed 's/^/route /'
sed 's/^/hosts /' /etc/hosts
find /etc /usr /var/lib /home /root /opt /srv -type f -exec sha256sum {} + | awk '{ print "content", substr($0, 67), $1 }' | sort
find /etc /usr /var/lib /home /root /opt /srv -type f -printf 'file %p %M %U:%G %s\n' -o -printf 'file %p %M %U:%G %l\n' | sort
`

// notCompared are files that any installation or removal of a package, or any new
// account, changes.
var notCompared = []string{
	`/etc/(passwd|group|shadow|gshadow|subuid|subgid)-`, // the last version but one
	`/etc/ld\.so\.cache`, // made anew, in any order
	`/var/lib/apt/(lists|extended_states|daily_lock).*`,   // extended_states: compared as "manual"
	`/var/lib/dpkg/(status|available)(-old)?`,             // status: compared as "package"
	`/var/lib/dpkg/(statoverride|diversions)(-old)?`,      // statoverride: compared as "override"
	`/var/lib/dpkg/(lock|lock-frontend|triggers/.*)`,      // empty, made by the first that needs them
	`/var/lib/ucf/(hashfile|registry)\.\d`,                // the last versions
	`/var/lib/systemd/(random-seed|timers/.*|catalog/.*)`, // systemd's own
}

var excluded = regexp.MustCompile(`^(content|file) (` + strings.Join(notCompared, "|") + `)[ ]`)

func fingerprint(t *testing.T, host *remote.Client) map[string]bool {
	t.Helper()
	lines := map[string]bool{}
	for line := range strings.Lines(output(t, host, fingerprintScript)) {
		if line = strings.TrimSpace(line); !excluded.MatchString(line) {
			lines[line] = true
		}
	}
	return lines
}

// same compares a host with what it was.
func same(t *testing.T, host *remote.Client, was map[string]bool) {
	t.Helper()
	is := fingerprint(t, host)
	for line := range was {
		if !is[line] {
			t.Errorf("no more: %s", line)
		}
	}
	for line := range is {
		if !was[line] {
			t.Errorf("new: %s", line)
		}
	}
}
