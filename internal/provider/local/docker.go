package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// killGrace is how long a cancelled tool may take to clean up after itself.
const killGrace = 20 * time.Second

// docker is the command line client of the engine.
type docker struct {
	program string
}

// run runs one docker command and returns its standard output.
func (d docker) run(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := runTool(ctx, command{program: d.program, args: args, stdin: stdin, stdout: &stdout})
	return stdout.Bytes(), err
}

// lines runs one docker command whose answer is one word per line.
func (d docker) lines(ctx context.Context, args ...string) ([]string, error) {
	out, err := d.run(ctx, nil, args...)
	return strings.Fields(string(out)), err
}

// word runs one docker command whose answer is one word.
func (d docker) word(ctx context.Context, args ...string) (string, error) {
	words, err := d.lines(ctx, args...)
	if err == nil && len(words) != 1 {
		err = fmt.Errorf("%s: unexpected answer %q", command{program: d.program, args: args}.name(), words)
	}
	return strings.Join(words, " "), err
}

// command is one run of a tool.
type command struct {
	program string
	title   string // for errors; by default the program and its sub-command
	args    []string
	env     []string // besides our own
	stdin   io.Reader
	stdout  io.Writer
	log     io.Writer // if set, gets standard output and error as they come
}

// runTool runs the command and explains what went wrong. When ctx ends, the
// tool and its children are asked to stop, and killed if they do not.
func runTool(ctx context.Context, c command) error {
	cmd := exec.CommandContext(ctx, c.program, c.args...)
	cmd.Env = append(cmd.Environ(), c.env...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.stdin, c.stdout, &stderr
	if c.log != nil {
		cmd.Stderr = io.MultiWriter(&stderr, c.log)
		cmd.Stdout = cmd.Stderr // the same, so that only one goroutine writes to log
	}
	// Its own process group: mmdebstrap leaves its own clean-up to a child, and
	// a Ctrl-C on the terminal must reach it once, through us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killGrace
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // who did not stop when asked to
		}
		return fmt.Errorf("%s: %w", c.name(), context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return missing(c.program)
	}
	return classify(&ToolError{Command: c.name(), Stderr: stderr.String(), Err: err})
}

// name is the program and its sub-commands, without options and operands.
func (c command) name() string {
	if c.title != "" {
		return c.title
	}
	words := []string{c.program}
	for _, arg := range c.args {
		if strings.HasPrefix(arg, "-") || len(words) == 3 {
			break
		}
		words = append(words, arg)
		if len(words) == 2 && arg != "network" && arg != "image" && arg != "container" {
			break
		}
	}
	return strings.Join(words, " ")
}
