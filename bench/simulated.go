package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// simulated measures the scheduler on clusters that do not exist: one as large as
// the largest that was measured, to compare, and one that no machine could run.
func (b *bench) simulated() error {
	return inTurn(
		func() error { return b.schedule(generated{nodes: 43, full: 3, services: 240}, 5) },
		func() error { return b.schedule(generated{nodes: 500, full: 5, services: 2000}, 1) },
	)
}

// schedule runs the scheduler in a container of the image of nodes, which is no
// node.
func (b *bench) schedule(g generated, runs int) error {
	document, err := g.document()
	if err != nil {
		return err
	}
	const script = `cat >/tmp/cib.xml && crm_simulate --xml-file=/tmp/cib.xml --save-graph=/tmp/graph.xml >/dev/null &&
grep -c '<action_set' /tmp/graph.xml && `
	cmd := exec.Command("docker", "run", "--rm", "--interactive", "--entrypoint", "/bin/sh", b.image,
		"-c", script+profile("/tmp/cib.xml", runs))
	cmd.Stdin = strings.NewReader(document)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("simulate %d nodes: %w: %s", g.nodes, err, faults.String())
	}
	actions, rest, _ := strings.Cut(string(out), "\n")
	where := fmt.Sprintf("on %d generated nodes, beside %d others", g.nodes, g.services)
	b.report(row{what: "one more service " + where + ": actions ordered", ours: text(actions)})
	return b.reportProfile(where, rest, runs)
}
