package form

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/puppet"
)

// facts are what is on a node before anything is done to it.
type facts struct {
	machine   string       // as uname -m says it
	program   string       // SHA-256 of sirikata-node; empty if there is none
	conf      string       // SHA-256 of corosync.conf; empty if there is none
	cluster   string       // the cluster that corosync.conf names
	owner     string       // the cluster that it was prepared for, or that Puppet configured it for
	role      cluster.Role // that Puppet configured it for; empty if it did not
	authKey   []byte       // Corosync's key; empty if there is none
	remoteKey []byte       // that of Pacemaker's remote nodes; empty if there is none
	full      []string     // the members that corosync.conf lists, by name
	cib       bool         // Pacemaker has a configuration
	lived     bool         // its configuration was changed since it was laid down
	corosync  bool         // it runs
	pacemaker bool         // it runs
	remote    bool         // Pacemaker's executor for remote nodes runs
	agents    []string     // fence agents that are installed
	ids       []string     // NAME:ID of the members that corosync.conf lists
}

// runs reports whether the node takes part in a cluster at this moment.
func (f facts) runs() bool { return f.corosync || f.remote }

// inspectScript prints one fact a line. It changes nothing.
const inspectScript = `
sum() { sha256sum 2>/dev/null <"$1" | cut -d' ' -f1; }
echo "machine $(uname -m)"
echo "program $(sum ` + cluster.NodeProgramPath + `)"
echo "conf $(sum ` + corosyncConf + `)"
echo "cluster $(sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p' ` + corosyncConf + ` 2>/dev/null)"
echo "owner $(sed -n 's/.*"cluster": *"\([^"]*\)".*/\1/p' ` + cluster.NodeFilePath + ` 2>/dev/null || cat ` + puppet.RecordedClusterPath + ` 2>/dev/null)"
echo "role $(sed -n 's/.*"role": *"\([^"]*\)".*/\1/p' ` + cluster.NodeFilePath + ` 2>/dev/null)"
echo "authkey $(base64 -w0 /etc/corosync/authkey 2>/dev/null)"
echo "remotekey $(base64 -w0 /etc/pacemaker/authkey 2>/dev/null)"
echo "ids" $(awk '$1 == "nodeid:" { id = $2 } $1 == "name:" { name = $2 } $1 == "}" { if (name) print name ":" id; name = id = "" }' ` + corosyncConf + ` 2>/dev/null)
echo "full" $(sed -n 's/^[[:space:]]*name:[[:space:]]*//p' ` + corosyncConf + ` 2>/dev/null)
if [ -e ` + cibFile + ` ]; then echo cib yes; fi
if grep -q '<cib[^>]* epoch="[1-9]' ` + cibFile + ` 2>/dev/null; then echo lived yes; fi
if systemctl --quiet is-active corosync; then echo corosync yes; fi
if systemctl --quiet is-active pacemaker; then echo pacemaker yes; fi
if systemctl --quiet is-active pacemaker_remote; then echo remote yes; fi
echo "agents" $(cd /usr/sbin && ls -d fence_* 2>/dev/null)
`

const (
	corosyncConf = "/etc/corosync/corosync.conf"
	cibFile      = "/var/lib/pacemaker/cib/cib.xml"
)

func inspect(ctx context.Context, _ *Former, m *member) error {
	out, err := m.client.Output(ctx, "sh", "-c", inspectScript)
	m.found = parseFacts(out)
	return err
}

func parseFacts(out []byte) facts {
	var found facts
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "machine":
			found.machine = value
		case "program":
			found.program = value
		case "conf":
			found.conf = value
		case "cluster":
			found.cluster = strings.TrimSpace(value)
		case "owner":
			found.owner = value
		case "role":
			found.role = cluster.Role(value)
		case "authkey":
			// What is not base64 is no key; it is then replaced.
			found.authKey, _ = base64.StdEncoding.DecodeString(value)
		case "remotekey":
			found.remoteKey, _ = base64.StdEncoding.DecodeString(value)
		case "full":
			found.full = strings.Fields(value)
		case "ids":
			found.ids = strings.Fields(value)
		case "lived":
			found.lived = true
		case "cib":
			found.cib = true
		case "corosync":
			found.corosync = true
		case "pacemaker":
			found.pacemaker = true
		case "remote":
			found.remote = true
		case "agents":
			found.agents = strings.Fields(value)
		}
	}
	return found
}
