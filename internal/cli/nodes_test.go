package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
	"github.com/sirikata/sirikata-cluster/internal/store"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

const nodesKey = "nodes"

// scriptNodes are the nodes of a script: SSH servers in this process, which a
// docker of ours on the PATH presents as containers.
type scriptNodes struct {
	t       testing.TB
	work    string
	servers []*remotetest.Server
}

// start makes a cluster of size nodes. They run what they are told to with the
// tools of testdata/node, whose state is in $WORK/state.
func (n *scriptNodes) start(home, clusterName string, size int) error {
	spec := nodegroup.LocalSpec(clusterName, size, cluster.LAN)
	if _, err := nodegroup.Create(nodegroup.Env{Home: home}, spec); err != nil {
		return err
	}
	signer, _, _, err := store.Open(home).Key(clusterName)
	if err != nil {
		return err
	}
	tools, err := filepath.Abs("testdata/node")
	if err != nil {
		return err
	}
	var containers []any
	for i := range size {
		env := []string{"PATH=" + tools + ":/usr/bin:/bin", "STATE=" + n.work + "/state", "NODE=" + cluster.NodeName(i), "LC_ALL=C.UTF-8"}
		server := remotetest.Start(n.t, remotetest.Config{Authorized: []ssh.PublicKey{signer.PublicKey()},
			Handler: func(line string, stdin io.Reader, stdout, stderr io.Writer) int {
				cmd := exec.Command("sh", "-c", line)
				cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, stdin, stdout, stderr
				cmd.Dir = n.work
				_ = cmd.Run() // the exit code says it
				return cmd.ProcessState.ExitCode()
			}})
		n.servers = append(n.servers, server)
		containers = append(containers, containerOf(i, server))
	}
	return n.docker(containers)
}

// containerOf is what docker inspect says of a node, as far as we read it.
func containerOf(index int, server *remotetest.Server) any {
	_, port, _ := net.SplitHostPort(server.Addr) // the address of a listener has one
	binding := []any{map[string]string{"HostIp": "127.0.0.1", "HostPort": port}}
	return map[string]any{
		"Id": fmt.Sprintf("%064x", index+0xabc), "State": map[string]any{"Status": "running"},
		"Config": map[string]any{"Labels": map[string]string{
			"org.sirikata.index":   strconv.Itoa(index),
			"org.sirikata.hostkey": string(ssh.MarshalAuthorizedKey(server.HostKey())),
		}},
		"HostConfig": map[string]any{"PortBindings": map[string]any{"22/tcp": binding}},
		"NetworkSettings": map[string]any{"Ports": map[string]any{"22/tcp": binding},
			"Networks": map[string]any{"demo": map[string]any{"IPAMConfig": map[string]string{"IPv4Address": fmt.Sprintf("10.1.2.%d", index+10)}}}},
	}
}

// docker puts one on the PATH that knows these containers and how to list them.
func (n *scriptNodes) docker(containers []any) error {
	inspect, err := json.Marshal(containers)
	if err != nil {
		return err
	}
	const script = `#!/bin/sh
PATH=/usr/bin:/bin
case "$1 $2" in
"ps --all") echo ids ;;
"container inspect") cat "$(dirname "$0")/containers.json" ;;
*) echo "unexpected: docker $*" >&2; exit 64 ;;
esac
`
	bin := filepath.Join(n.work, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(bin, "containers.json"), inspect, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755)
}

func nodesOf(ts *testscript.TestScript) *scriptNodes { return ts.Value(nodesKey).(*scriptNodes) }

func nodesCommand(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(nodesOf(ts).start(ts.Getenv("SIRIKATA_CLUSTER_HOME"), args[0], size))
}

// saysCommand takes the recordings of a state, resources and transient attributes,
// or the first of these. With "then" they are what is said after the next change.
func saysCommand(ts *testscript.TestScript, _ bool, args []string) {
	state := ts.MkAbs("state")
	if args[0] == "then" {
		state, args = filepath.Join(state, "then"), args[1:]
	}
	ts.Check(os.MkdirAll(state, 0o755))
	for i, part := range []string{"mon", "resources", "transient"}[:len(args)] {
		text, err := os.ReadFile("../cib/testdata/" + part + "-" + args[i] + "-2.1.5.xml")
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(state, part), text, 0o644))
	}
}

func offCommand(ts *testscript.TestScript, _ bool, args []string) {
	index, err := strconv.Atoi(args[0])
	ts.Check(err)
	nodesOf(ts).servers[index].Close()
}
