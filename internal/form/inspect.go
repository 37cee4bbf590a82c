package form

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
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

// owns reports whether the node belongs to the cluster. Its corosync.conf may have
// been damaged, or edited by hand; then Puppet's word stands. On hosts that the user
// has it alone counts: another cluster there may well have the same name.
func (f *Former) owns(found facts) bool {
	return found.owner == f.Spec.Name || found.owner == "" && !f.Prepare && found.cluster == f.Spec.Name
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

// settle decides, from what is on the nodes, what they all get.
func settle(_ context.Context, f *Former, members []*member) error {
	if err := refuseForeign(f, members); err != nil {
		return err
	}
	for _, m := range members {
		f.lived = f.lived || m.found.lived
	}
	if err := f.sameIDs(members); err != nil {
		return err
	}
	f.rounds = f.planRounds(members)
	if err := f.haveAgents(members); err != nil {
		return err
	}
	return adoptKeys(f, members)
}

// debianCluster is the name in the corosync.conf that Debian's package brings.
const debianCluster = "debian"

// refuseForeign stops before a host that belongs to another cluster is taken
// over: its services would be lost.
func refuseForeign(f *Former, members []*member) error {
	for _, m := range members {
		if err := f.foreign(m.found); err != nil {
			return &cluster.NodeError{Node: m.node.Name, Err: err}
		}
	}
	return nil
}

// foreign says whose a node is that is not ours; nil for one that is nobody's.
func (f *Former) foreign(found facts) error {
	name := found.cluster
	switch {
	case f.owns(found):
		return nil
	case found.owner != "":
		return cluster.WithHint(fmt.Errorf("it is a node of another cluster, %q", found.owner),
			"take it out of that cluster first: sirikata-cluster remove node %s NODE, or nodes terminate", found.owner)
	case f.Prepare && (found.runs() || found.pacemaker):
		return cluster.WithHint(errors.New("it runs Corosync or Pacemaker for a cluster that was not made by sirikata-cluster"),
			"take it out of that cluster first, with the tool that made it, and stop the daemons")
	case found.lived || name != "" && name != debianCluster:
		return cluster.WithHint(
			fmt.Errorf("it belongs to another cluster, %s (%s, %s)", quoted(name), corosyncConf, cibFile),
			"take it out of that cluster first: remove %s and %s", corosyncConf, cibFile)
	}
	return nil
}

// sameIDs refuses a spec in which a node has another index than the cluster knows
// it by. Corosync must never see one number on two nodes (corosync.conf(5), nodeid).
func (f *Former) sameIDs(members []*member) error {
	for _, m := range members {
		if !f.owns(m.found) {
			continue
		}
		for _, listed := range m.found.ids {
			name, id, _ := strings.Cut(listed, ":")
			for _, node := range f.Nodes {
				if is := nodeID(node); node.Name == name && id != strconv.Itoa(is) {
					return cluster.WithHint(fmt.Errorf("%s is number %s in the cluster, and %d by this spec", name, id, is),
						"name the hosts in the order in which the cluster was created, or get the spec of who created it")
				}
			}
		}
	}
	return nil
}

// adoptKeys takes over the keys of Corosync and of Pacemaker's remote nodes, so
// that an operator who has never seen this cluster does not break it.
func adoptKeys(f *Former, members []*member) (err error) {
	if f.authKey, err = f.adoptKey(members, func(m *member) []byte { return m.found.authKey }); err != nil {
		return err
	}
	f.remoteKey, err = f.adoptKey(members, func(m *member) []byte { return m.found.remoteKey })
	return err
}

// adoptKey returns the key of the nodes that have one, of those that run first.
// A cluster without a key gets a new one.
func (f *Former) adoptKey(members []*member, of func(*member) []byte) ([]byte, error) {
	for _, wanted := range []bool{true, false} {
		for _, m := range members {
			if f.owns(m.found) && m.found.runs() == wanted && len(of(m)) == authKeySize {
				return of(m), nil
			}
		}
	}
	key := make([]byte, authKeySize)
	_, err := rand.Read(key)
	return key, err
}

// authKeySize is what corosync-keygen(8) writes, in bytes.
const authKeySize = 256

func quoted(name string) string {
	if name == "" {
		return "without a name"
	}
	return strconv.Quote(name)
}
