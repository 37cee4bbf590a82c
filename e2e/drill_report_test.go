//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sirikata/sirikata-cluster/e2e/drill"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

// fail fails the test with all that was wrong about one fault, how to see it
// again, and where the nodes' journals are.
func (d *drillRun) fail(f drill.Fault, problems []string, view referee.View) {
	kept, err := d.keep(f, problems, view)
	if err != nil {
		kept = fmt.Sprintf("not kept: %v", err)
	}
	d.t.Errorf("fault %d (%v):\n  %s\n  journals: %s\n  again: %s", f.Number, f, strings.Join(problems, "\n  "), kept, d.again(f))
}

// again is the command that makes the same faults up to this one.
func (d *drillRun) again(f drill.Fault) string {
	command := fmt.Sprintf("make drill FAULTS=%d SEED=%d NODES=%d FULL=%d", f.Number, d.tally.Seed, *drillNodes, *drillFull)
	if !*drillFencing {
		command += " FENCING=false"
	}
	return command
}

// journals prints what a node's daemons said; what the nodes keep in memory is
// lost when they lose power, what is in files is not.
const journals = `
for file in /var/log/pacemaker/pacemaker.log /var/log/corosync/corosync.log; do
    [ -e $file ] && echo "== $file" && tail -n 4000 $file
done
echo "== journal"
journalctl --no-pager --output=short-precise --lines=4000
`

// keep writes down what is known about a fault and returns the directory.
func (d *drillRun) keep(f drill.Fault, problems []string, view referee.View) (string, error) {
	if d.evidence == "" {
		dir, err := os.MkdirTemp("", fmt.Sprintf("sirikata-drill-%d-", d.tally.Seed))
		if err != nil {
			return "", err
		}
		d.evidence = dir
	}
	dir := filepath.Join(d.evidence, fmt.Sprintf("fault-%d", f.Number))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	files := map[string]string{
		"problems":     f.String() + "\n" + strings.Join(problems, "\n") + "\n",
		"status":       d.c.state(),
		"incarnations": timeline(view),
	}
	// From this a test of the referee can be made.
	recorded, err := json.MarshalIndent(view, "", " ")
	if err != nil {
		return "", err
	}
	files["incarnations.json"] = string(recorded)
	for _, n := range d.c.running() {
		files[n.name], _ = n.try(journals) // also what it printed before it failed
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// timeline is what the referee knows, one process a line.
func timeline(view referee.View) string {
	text := fmt.Sprintf("at %.3f s:\n", view.At.Seconds())
	for _, i := range view.Incarnations {
		text += fmt.Sprintf("%s on %s as %s, %d beats:", i.Service, i.Node, i.ID, i.Beats)
		for _, s := range i.Stretches {
			text += fmt.Sprintf(" %.3f–%.3f", s.From.Seconds(), s.To.Seconds())
		}
		text += "\n"
	}
	return text
}
