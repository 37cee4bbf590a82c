package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// name is what the program calls itself.
const name = "sirikata-cluster"

// app is what every command needs of the outside.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func() (nodegroup.Env, error)
	// terminal is the one that started the program, wherever the streams lead.
	terminal func() (*os.File, error)
	askSudo  bool // --ask-sudo-password

	mu sync.Mutex // guards err against lines of progress
}

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// Main runs the command line and returns the exit code. The first SIGINT or
// SIGTERM lets the command undo what it must not leave; a second one ends the
// program at once.
func Main() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintf(os.Stderr, "%s: stopping; once more stops at once\n", name)
		cancel(errInterrupted)
		<-signals
		os.Exit(exitInterrupted)
	}()
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: nodegroup.FromEnv, terminal: openTerminal}
	return a.run(ctx, os.Args[1:])
}

func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	return a.report(ctx, err)
}

// environment is the Env of a command, whose progress goes to standard error.
func (a *app) environment() (nodegroup.Env, error) {
	env, err := a.env()
	env.Progress = func(line string) { a.say("%s", line) }
	return env, err
}

// open opens the cluster that a command names, for its type if it has one. It
// asks for what the cluster needs to know of the person, and contacts no node.
func (a *app) open(ctx context.Context, clusterName string, of scope) (*nodegroup.NodeGroup, error) {
	env, err := a.environment()
	if err != nil {
		return nil, err
	}
	spec, err := nodegroup.ReadSpec(env, clusterName)
	if err != nil {
		return nil, err
	}
	if err := of.check(spec); err != nil {
		return nil, err
	}
	if a.askSudo {
		if env.SudoPassword, err = a.sudoPassword(ctx, spec); err != nil {
			return nil, err
		}
	}
	return nodegroup.Open(env, clusterName)
}

// onCluster runs do on an open cluster for no longer than wait.
func (a *app) onCluster(ctx context.Context, s scope, clusterName string, wait time.Duration, do func(context.Context, *nodegroup.NodeGroup) error) error {
	ng, err := a.open(ctx, clusterName, s)
	if err != nil {
		return err
	}
	defer a.close(ng)
	return within(ctx, wait, func(ctx context.Context) error { return do(ctx, ng) })
}

// close ends the connections of a command, which has its answer by then.
func (a *app) close(ng *nodegroup.NodeGroup) { _ = ng.Close() }

// say prints a line for the person at the terminal.
func (a *app) say(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(a.err, format+"\n", args...)
}

// print writes a line of the answer.
func (a *app) print(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
