package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// name of the cluster that is measured.
const name = "bench"

const binary = "bin/sirikata-cluster"

// program runs sirikata-cluster and returns what it prints.
func program(args ...string) (string, error) {
	cmd := exec.Command(binary, args...)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, errors.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// timed runs sirikata-cluster and returns how long it took as a whole.
func timed(args ...string) (time.Duration, error) {
	begin := time.Now()
	_, err := program(args...)
	return time.Since(begin), err
}

// progress is when a run of sirikata-cluster said what.
type progress struct {
	began, ended time.Time
	lines        []line
}

type line struct {
	text string
	at   time.Time
}

// watched runs sirikata-cluster and notes its lines of progress.
func watched(args ...string) (progress, error) {
	cmd := exec.Command(binary, args...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return progress{}, err
	}
	p := progress{began: time.Now()}
	if err := cmd.Start(); err != nil {
		return progress{}, err
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		p.lines = append(p.lines, line{lines.Text(), time.Now()})
	}
	if err := cmd.Wait(); err != nil {
		return progress{}, fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, p.lastWords())
	}
	p.ended = time.Now()
	return p, nil
}

// lastWords are its last lines, which say what went wrong.
func (p progress) lastWords() string {
	var last []string
	for _, l := range p.lines[max(0, len(p.lines)-3):] {
		last = append(last, l.text)
	}
	return strings.Join(last, "; ")
}

func (p progress) whole() time.Duration { return p.ended.Sub(p.began) }

// since is how long it took after it began with a step.
func (p progress) since(step string) time.Duration { return p.ended.Sub(p.when(step)) }

// between is how long it took from one step to another.
func (p progress) between(step, next string) time.Duration { return p.when(next).Sub(p.when(step)) }

// when it said that a step begins; the end, if it never did.
func (p progress) when(step string) time.Time {
	for _, l := range p.lines {
		if strings.HasPrefix(l.text, step) {
			return l.at
		}
	}
	return p.ended
}

// onNode runs a shell script on a node.
func onNode(node, script string) (string, error) {
	return program("node", "ssh", name, node, "--", "sh", "-c", script)
}

// measuredOnNode runs a shell script on a node and returns how long it says it
// took: it has to print nanoseconds as its last word.
func measuredOnNode(node, script string) (time.Duration, error) {
	out, err := onNode(node, script)
	if err != nil {
		return 0, err
	}
	words := strings.Fields(out)
	if len(words) == 0 {
		return 0, fmt.Errorf("%s printed nothing", script)
	}
	nanoseconds, err := strconv.ParseInt(words[len(words)-1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s printed %q", script, out)
	}
	return time.Duration(nanoseconds), nil
}

func status() (s cluster.Status, err error) {
	out, err := program("status", name, "-o", "json")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(out), &s)
}

// settle waits until the cluster has nothing left to do.
func settle() error {
	_, err := onNode("0", "timeout 120 crm_resource --wait")
	return err
}

// takeDown leaves nothing behind. There may be nothing.
func takeDown() {
	_, _ = program("local", "nodes", "terminate", name)
	_, _ = program("local", "destroy", name)
}

// repeat collects runs of do.
func repeat(runs int, do func(run int) (time.Duration, error)) (sample, error) {
	var all sample
	for run := range runs {
		took, err := do(run)
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	return all, nil
}
