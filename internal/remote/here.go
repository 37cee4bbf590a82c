package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"syscall"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// newHere is a client of the operator's own machine. It does what sshd would do
// there for the user who runs the program.
func newHere(host Host) (*Client, error) {
	me, err := user.Current()
	if err != nil {
		return nil, fmt.Errorf("find out who runs this: %w", err)
	}
	if host.User != "" && host.User != me.Username {
		return nil, cluster.WithHint(fmt.Errorf("%s is this machine, where commands run as %q, not as %q", host.Name, me.Username, host.User),
			"run this as %s, or create the cluster with the user %s, or reach this machine over SSH, as 127.0.0.1", host.User, me.Username)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	c := newIdleClient(host, defaultTiming())
	life, end := context.WithCancel(context.Background())
	c.execute = func(ctx context.Context, line string, streams *streams) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		err := runHere(ctx, home, line, streams)
		if life.Err() != nil {
			return net.ErrClosed
		}
		return err
	}
	c.hangUp = func() error {
		end()
		close(c.done)
		return nil
	}
	return c, nil
}

// runHere runs one line by a shell, in the home directory, as sshd does. The
// command is a process group, so that what it started ends with it.
func runHere(ctx context.Context, home, line string, streams *streams) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Dir = home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = input.Close() // sudo takes no signal from us
		_ = stdout.Close()
		_ = stderr.Close()
	})
	defer stop()
	go streams.feed(input)
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(&streams.stderr, stderr) // a gate that fails aborts by itself
	}()
	_, _ = io.Copy(&streams.stdout, stdout)
	<-copied
	return cmd.Wait()
}

// exitOf says how a command ended that ran to its end, on this machine.
func exitOf(state *os.ProcessState) (code int, signal string) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return state.ExitCode(), ""
	}
	return 128 + int(status.Signal()), signalName(status.Signal())
}

// signalName is the name of a signal, without SIG, as SSH carries it (RFC 4254,
// section 6.10).
func signalName(signal syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGABRT: "ABRT", syscall.SIGALRM: "ALRM", syscall.SIGFPE: "FPE", syscall.SIGHUP: "HUP",
		syscall.SIGILL: "ILL", syscall.SIGINT: "INT", syscall.SIGKILL: "KILL", syscall.SIGPIPE: "PIPE",
		syscall.SIGQUIT: "QUIT", syscall.SIGSEGV: "SEGV", syscall.SIGTERM: "TERM",
		syscall.SIGUSR1: "USR1", syscall.SIGUSR2: "USR2",
	}
	if name, ok := names[signal]; ok {
		return name
	}
	return signal.String()
}

// ended tells whether a session ended with a status, on either transport.
func ended(err error) (code int, signal string, ok bool) {
	var here *exec.ExitError
	if errors.As(err, &here) {
		code, signal = exitOf(here.ProcessState)
		return code, signal, true
	}
	return endedThere(err)
}
