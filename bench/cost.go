package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// scratch is where measurements keep files on a node.
const scratch = "/tmp/bench"

// cost measures what one more service costs the cluster: the actions that its
// controller orders, the change of the CIB, and the scheduler's time, of which so
// many runs are measured together: it is shown in hundredths of a second. It adds
// a service and removes it.
func (b *bench) cost(where string, runs int) error {
	if err := settle(); err != nil {
		return err
	}
	now, err := status()
	if err != nil {
		return err
	}
	dc := now.DC
	if _, err := onNode(dc, "rm -rf "+scratch+"; mkdir "+scratch+"; cibadmin --query >"+scratch+"/before.xml"); err != nil {
		return err
	}
	if _, err := addOne(); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return err
	}
	input, err := b.costInActions(dc, where)
	if err != nil {
		return err
	}
	return inTurn(
		func() error { return b.costInTime(dc, input, where, runs) },
		func() error { return b.costInBytes(dc, where) },
		func() error { _, err := program("remove", "service", name, "x"); return err },
	)
}

// transitions prints, for all that the scheduler of the DC was asked since, how many
// actions it ordered, and the file with the question.
const transitions = `cd ` + scratch + `
for input in $(find /var/lib/pacemaker/pengine -name 'pe-*.bz2' -newer before.xml | sort -V); do
	crm_simulate --xml-file="$input" --save-graph=graph.xml >/dev/null
	echo "$(grep -c '<action_set' graph.xml) $input"
done`

// costInActions returns the first question to the scheduler that it had an answer to.
func (b *bench) costInActions(dc, where string) (input string, err error) {
	out, err := onNode(dc, transitions)
	if err != nil {
		return "", err
	}
	var actions, count int
	for row := range strings.Lines(out) {
		number, file, _ := strings.Cut(strings.TrimSpace(row), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return "", fmt.Errorf("count actions: %q", row)
		}
		if n == 0 {
			continue
		}
		if input == "" {
			input = file
		}
		actions, count = actions+n, count+1
	}
	if input == "" {
		return "", errors.New("count actions: the DC was asked nothing")
	}
	b.report(row{what: "one more service " + where + ": actions ordered",
		ours: text(fmt.Sprintf("%d, in %s", actions, plural(count, "transition")))})
	return input, nil
}

func (b *bench) costInTime(dc, input, where string, runs int) error {
	const copied = scratch + "/input.xml"
	out, err := onNode(dc, "crm_simulate --xml-file="+input+" --save-input="+copied+" >/dev/null && "+profile(copied, runs))
	if err != nil {
		return err
	}
	return b.reportProfile(where, out, runs)
}

// profile is a command that has the scheduler work on a CIB.
func profile(input string, runs int) string {
	return fmt.Sprintf("d=$(mktemp -d) && cp %s $d/cib.xml && crm_simulate --profile=$d --repeat=%d", input, runs)
}

// reportProfile reports what profile printed: "… cib.xml ... 0.28 secs", of the
// processor, for all runs.
func (b *bench) reportProfile(where, printed string, runs int) error {
	before, _, found := strings.Cut(printed, " secs")
	seconds, err := strconv.ParseFloat(before[strings.LastIndex(before, " ")+1:], 64)
	if err != nil || !found {
		return fmt.Errorf("crm_simulate --profile printed %q", printed)
	}
	b.report(row{what: "one more service " + where + ": the scheduler, once",
		ours: text(fmt.Sprintf("%.4f s of CPU, mean of %d", seconds/float64(runs), runs))})
	return nil
}

// difference prints the change of the CIB; crm_diff exits with 1 if there is one.
const difference = `cd ` + scratch + ` && cibadmin --query >after.xml &&
{ crm_diff --original=before.xml --new=after.xml --cib || [ $? = 1 ]; }`

func (b *bench) costInBytes(dc, where string) error {
	out, err := onNode(dc, difference)
	if err != nil {
		return err
	}
	definition, history, err := changed(out)
	if err != nil {
		return err
	}
	size, err := onNode(dc, "stat --format=%s "+scratch+"/after.xml")
	b.report(row{what: "one more service " + where + ": bytes of the CIB's patch",
		ours: text(fmt.Sprintf("%d definition, %d history of actions; all of the CIB %s", definition, history, size))})
	return err
}

// changed is how many bytes of a patch change the configuration, and how many the
// status, both without indentation.
func changed(patch string) (configuration, status int, err error) {
	var compact strings.Builder
	for row := range strings.Lines(patch) {
		compact.WriteString(strings.TrimSpace(row))
	}
	decoder := xml.NewDecoder(strings.NewReader(compact.String()))
	for {
		before := int(decoder.InputOffset())
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return configuration, status, nil
		}
		if err != nil {
			return 0, 0, fmt.Errorf("read a patch of the CIB: %w", err)
		}
		change, ok := token.(xml.StartElement)
		if !ok || change.Name.Local != "change" {
			continue
		}
		if err := decoder.Skip(); err != nil {
			return 0, 0, fmt.Errorf("read a patch of the CIB: %w", err)
		}
		size := int(decoder.InputOffset()) - before
		switch path := pathOf(change); {
		case strings.HasPrefix(path, "/cib/configuration"):
			configuration += size
		case strings.HasPrefix(path, "/cib/status"):
			status += size
		}
	}
}

func pathOf(change xml.StartElement) string {
	for _, attribute := range change.Attr {
		if attribute.Name.Local == "path" {
			return attribute.Value
		}
	}
	return ""
}
