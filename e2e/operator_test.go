//go:build lab

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// commandTimeout is how long any command of ours may take.
const commandTimeout = 3 * time.Minute

// operator is a person with a store of their own who types commands.
type operator struct {
	home  string
	env   []string  // on top of ours
	wrap  []string  // a program, with arguments, that runs ours
	stdin io.Reader // empty if nil
}

// first is the operator of most tests.
func first() operator { return operator{home: lab.home} }

func (o operator) command(ctx context.Context, args ...string) *exec.Cmd {
	argv := append(slices.Clone(o.wrap), lab.program)
	argv = append(argv, args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(append(os.Environ(), "SIRIKATA_CLUSTER_HOME="+o.home), o.env...)
	cmd.Stdin = o.stdin
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// typed runs a command in a terminal in which text is typed, and returns what the
// terminal showed and the exit code.
func (o operator) typed(t *testing.T, text string, args ...string) (shown string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := o.command(ctx, args...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if _, err := terminal.WriteString(text); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_, _ = io.Copy(&out, terminal) // ends with EIO when the program does
	return out.String(), exitCode(cmd.Wait())
}

// run runs a command of ours to its end, whatever that is.
func (o operator) run(t testing.TB, args ...string) result {
	t.Helper()
	r := o.quietly(args...)
	t.Logf("$ sirikata-cluster %s → %d in %.2f s", strings.Join(args, " "), r.code, r.took.Seconds())
	return r
}

// quietly is run without a line in the log: for polling, and for goroutines.
func (o operator) quietly(args ...string) result {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := o.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	r := result{args: args, took: time.Since(begin), stdout: stdout.String(), stderr: stderr.String(), code: exitCode(err)}
	if ctx.Err() != nil {
		r.stderr += fmt.Sprintf("(killed by the lab after %v)", commandTimeout)
	}
	return r
}

// exitCode is the exit status of a process; -1 for one that a signal ended or
// that was never started.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// result is how a command of ours ended.
type result struct {
	args           []string
	stdout, stderr string
	code           int
	took           time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("sirikata-cluster %q: exit code %d after %.1f s\nstdout: %s\nstderr: %s",
		r.args, r.code, r.took.Seconds(), r.stdout, r.stderr)
}

// ok fails the test unless the command succeeded.
func (r result) ok(t testing.TB) result {
	t.Helper()
	if r.code != 0 {
		t.Fatal(r)
	}
	return r
}

// says fails the test unless the answer holds all the words.
func (r result) says(t testing.TB, words ...string) result {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(r.stdout, word) {
			t.Errorf("the answer does not say %q\n%v", word, r)
		}
	}
	return r
}

// fails fails the test unless the command ended with that code and one line of
// error that holds all the words. A hint may follow.
func (r result) fails(t testing.TB, code int, words ...string) result {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, not %d\n%v", r.code, code, r)
	}
	line := ""
	for each := range strings.Lines(r.stderr) {
		if text, ok := strings.CutPrefix(each, "sirikata-cluster: error: "); ok {
			line += text
		}
	}
	if line == "" {
		t.Errorf("there is no line of error\n%v", r)
	}
	for _, word := range words {
		if !strings.Contains(line, word) {
			t.Errorf("the error does not say %q\n%v", word, r)
		}
	}
	if strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("it panicked\n%v", r)
	}
	return r
}

// hints fails the test unless there is a hint with all the words.
func (r result) hints(t testing.TB, words ...string) result {
	t.Helper()
	_, hint, ok := strings.Cut(r.stderr, "sirikata-cluster: hint: ")
	if !ok {
		t.Errorf("there is no hint\n%v", r)
	}
	for _, word := range words {
		if !strings.Contains(hint, word) {
			t.Errorf("the hint does not say %q\n%v", word, r)
		}
	}
	return r
}

// decode reads the answer as JSON.
func decode[T any](t testing.TB, r result) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatalf("the answer is not the JSON we expect: %v\n%v", err, r)
	}
	return v
}
