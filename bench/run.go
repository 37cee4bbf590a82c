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

// stamped runs sirikata-cluster and returns how long it took, and how long of it
// after the line of progress that begins with since.
func stamped(since string, args ...string) (whole, part time.Duration, err error) {
	cmd := exec.Command(binary, args...)
	progress, err := cmd.StderrPipe()
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	seen := begin
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), since) {
			seen = time.Now()
		}
	}
	err = cmd.Wait()
	return time.Since(begin), time.Since(seen), err
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
