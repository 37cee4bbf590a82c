//go:build lab

package e2e

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// node is one machine, reached past our program: through the engine.
type node struct {
	name      string // node0…
	container string
}

// find returns the nodes whose containers match the filters, by index.
func (c *labCluster) find(filters ...string) []node {
	args := []string{"ps", "--all", "--no-trunc", "--filter", "label=" + clusterLabel + "=" + c.name}
	for _, filter := range filters {
		args = append(args, "--filter", filter)
	}
	out, err := docker(append(args, "--format", fmt.Sprintf("{{.Label %q}} {{.ID}}", indexLabel))...)
	if err != nil {
		return nil
	}
	found := map[int]node{}
	for line := range strings.Lines(out) {
		label, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		if index, err := strconv.Atoi(label); err == nil {
			found[index] = node{name: "node" + label, container: id}
		}
	}
	var nodes []node
	for _, i := range slices.Sorted(maps.Keys(found)) {
		nodes = append(nodes, found[i])
	}
	return nodes
}

// running are the nodes that are powered on.
func (c *labCluster) running() []node { return c.find("status=running") }

// node returns the node with that name.
func (c *labCluster) node(t testing.TB, name string) node {
	t.Helper()
	for _, n := range c.find() {
		if n.name == name {
			return n
		}
	}
	t.Fatalf("cluster %s has no container for %q", c.name, name)
	return node{}
}

// sh runs a shell script on the node and returns its standard output.
func (n node) sh(t testing.TB, script string, args ...string) string {
	t.Helper()
	out, err := n.exec(script, args...)
	if err != nil {
		t.Fatalf("on %s: %s: %v", n.name, script, err)
	}
	return out
}

// try is sh for what may fail.
func (n node) try(script string, args ...string) (string, bool) {
	out, err := n.exec(script, args...)
	return out, err == nil
}

func (n node) exec(script string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", append([]string{"exec", n.container, "sh", "-c", script, "sh"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s%s", err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// mon is the part that we need of what crm_mon says.
type mon struct {
	Nodes []struct {
		Name   string `xml:"name,attr"`
		Online bool   `xml:"online,attr"`
	} `xml:"nodes>node"`
	Resources []struct {
		ID     string `xml:"id,attr"`
		Role   string `xml:"role,attr"`
		Active bool   `xml:"active,attr"`
		Failed bool   `xml:"failed,attr"`
		Nodes  []struct {
			Name string `xml:"name,attr"`
		} `xml:"node"`
	} `xml:"resources>resource"`
}

// mon asks Pacemaker on the first node where it answers: on one that has just
// been powered on it does not yet.
func (c *labCluster) mon(t testing.TB) (m mon) {
	t.Helper()
	text := c.ask(t, "crm_mon --one-shot --output-as=xml")
	if err := xml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("read crm_mon: %v\n%s", err, text)
	}
	return m
}

// ask runs a command on the first node where it succeeds.
func (c *labCluster) ask(t testing.TB, script string) string {
	t.Helper()
	var said []string
	for _, n := range c.running() {
		out, err := n.exec(script)
		if err == nil {
			return out
		}
		said = append(said, fmt.Sprintf("%s: %v", n.name, err))
	}
	t.Fatalf("no node of cluster %s answers %q: %v", c.name, script, said)
	return ""
}

// where is the node on which Pacemaker says that a service runs, or "".
func (c *labCluster) where(t testing.TB, id string) string {
	t.Helper()
	for _, r := range c.mon(t).Resources {
		if r.ID == "service-"+id && r.Role == "Started" && r.Active && !r.Failed && len(r.Nodes) == 1 {
			return r.Nodes[0].Name
		}
	}
	return ""
}

// online are the names of the nodes that Pacemaker says are online.
func (c *labCluster) online(t testing.TB) (names []string) {
	t.Helper()
	for _, n := range c.mon(t).Nodes {
		if n.Online {
			names = append(names, n.Name)
		}
	}
	return names
}

// primitives is what the cluster knows of services, without its version.
func (c *labCluster) primitives(t testing.TB) string {
	t.Helper()
	return c.ask(t, "cibadmin --query --scope resources")
}

// configVersion changes with every change of the cluster's configuration.
func (c *labCluster) configVersion(t testing.TB) string {
	t.Helper()
	cib := c.ask(t, "cibadmin --query")
	_, rest, _ := strings.Cut(cib, ` epoch="`)
	epoch, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("the CIB has no epoch: %.300s", cib)
	}
	return epoch
}

// mainPID is the main process of a service on a node, in systemd's eyes.
func (n node) mainPID(t testing.TB, id string) string {
	t.Helper()
	return strings.TrimSpace(n.sh(t, "systemctl show --property MainPID --value sirikata-"+id+".service"))
}

// commandLines are those of all processes, by the node they run on.
type commandLines map[string]string

func (c *labCluster) commandLines() commandLines {
	lines := commandLines{}
	for _, n := range c.running() {
		lines[n.name], _ = n.try("ps -e -o args=")
	}
	return lines
}

// on are the nodes on which a process has that in its command line, one for
// each such process.
func (l commandLines) on(mark string) (names []string) {
	for name, lines := range l {
		for range strings.Count(lines, mark) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// copies are the nodes on which processes with that in their command line run.
func (c *labCluster) copies(mark string) []string { return c.commandLines().on(mark) }
