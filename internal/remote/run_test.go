package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

func shell(script string) []string { return []string{"sh", "-c", script} }

func TestRun(t *testing.T) {
	client := connect(t, remotetest.Start(t, remotetest.Config{Real: true}))
	result, err := client.Run(testContext(t), remote.Command{
		Argv:  append(shell(`cat; printf '<%s>' "$@"; echo no >&2`), "sh", "a b", "", "it's\n", "\xff"),
		Stdin: strings.NewReader("in "),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := remote.Result{Stdout: []byte("in <a b><><it's\n><\xff>"), Stderr: []byte("no\n")}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if out, err := client.Output(testContext(t), "echo", "$HOME"); err != nil || string(out) != "$HOME\n" {
		t.Errorf("Output: %q, %v", out, err)
	}
	if client.Name() != "node2" {
		t.Errorf("Name is %q", client.Name())
	}
}

func TestRunFails(t *testing.T) {
	client := connect(t, remotetest.Start(t, remotetest.Config{Real: true}))
	for _, test := range []struct {
		argv []string
		want *remote.ExitError
		text string
	}{
		{shell("echo out; echo first >&2; echo last >&2; echo ' ' >&2; exit 3"),
			&remote.ExitError{Code: 3, Stdout: []byte("out\n"), Stderr: []byte("first\nlast\n \n")},
			`run "sh" on node2: exit status 3: last`},
		{[]string{"false"}, &remote.ExitError{Code: 1}, `run "false" on node2: exit status 1`},
		{append([]string{"exec"}, shell("kill -9 $$")...), &remote.ExitError{Code: 128 + 9, Signal: "KILL"},
			`run "exec" on node2: ended by signal KILL`},
	} {
		_, err := client.Run(testContext(t), remote.Command{Argv: test.argv})
		wantText(t, err, "", test.text)
		var got *remote.ExitError
		if !errors.As(err, &got) {
			t.Errorf("%v is no ExitError", err)
			continue
		}
		if got.Node != "node2" || got.Code != test.want.Code || got.Signal != test.want.Signal ||
			!bytes.Equal(got.Stdout, test.want.Stdout) || !bytes.Equal(got.Stderr, test.want.Stderr) ||
			!cmp.Equal(got.Argv, test.argv) {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
		if remote.Retryable(err) {
			t.Error("retryable")
		}
	}
	for _, argv := range [][]string{nil, {"echo", "a\x00b"}} {
		if _, err := client.Run(testContext(t), remote.Command{Argv: argv}); err == nil {
			t.Errorf("%q was run", argv)
		}
	}
}

func TestRunLarge(t *testing.T) {
	const size = 10 << 20
	client := connect(t, remotetest.Start(t, remotetest.Config{Real: true}))
	content := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
	result, err := client.Run(testContext(t), remote.Command{Argv: []string{"cat"}, Stdin: bytes.NewReader(content)})
	if err != nil || !bytes.Equal(result.Stdout, content) {
		t.Errorf("%d bytes came back, %v", len(result.Stdout), err)
	}
}

// TestRunInputLeft ends a command before its input: by what it does not read, and
// by what never comes.
func TestRunInputLeft(t *testing.T) {
	client := connect(t, remotetest.Start(t, remotetest.Config{Real: true}))
	never, release := io.Pipe()
	defer func() { _ = release.Close() }()
	for name, stdin := range map[string]io.Reader{
		"large": bytes.NewReader(make([]byte, 10<<20)), "never": never,
	} {
		out, err := client.Run(testContext(t), remote.Command{Argv: []string{"echo", "done"}, Stdin: stdin})
		if err != nil || string(out.Stdout) != "done\n" {
			t.Errorf("%s: %q, %v", name, out.Stdout, err)
		}
	}
}

// TestRunStreamsFail: neither a reader nor a writer that fails may leave us
// waiting for the command.
func TestRunStreamsFail(t *testing.T) {
	client := connect(t, remotetest.Start(t, remotetest.Config{Real: true}))
	broken := errors.New("broken")
	for want, cmd := range map[string]remote.Command{
		`run "cat" on node2: read input: broken`:   {Argv: []string{"cat"}, Stdin: iotest.ErrReader(broken)},
		`run "yes" on node2: write output: broken`: {Argv: []string{"yes"}, Stdout: failingWriter{broken}},
	} {
		_, err := client.Run(testContext(t), cmd)
		wantText(t, err, "", want)
		if !errors.Is(err, broken) {
			t.Errorf("%v hides its cause", err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// onWrite calls f at the first write.
func onWrite(f func()) io.Writer { return &trigger{f: sync.OnceFunc(f)} }

type trigger struct{ f func() }

func (w *trigger) Write(p []byte) (int, error) {
	go w.f() // not in the middle of the write
	return len(p), nil
}

func TestRunCancelled(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	client := connect(t, server)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(testContext(t))
	_, err := client.Run(ctx, remote.Command{
		Argv: shell("echo up; exec sleep 1000"), Stdout: onWrite(func() { cancel(enough) }),
	})
	wantText(t, err, "", `run "sh" on node2: enough`)
	select {
	case got := <-server.Signals():
		if got != "TERM" {
			t.Errorf("signal %s was sent", got)
		}
	case <-testContext(t).Done():
		t.Fatal("no signal was sent")
	}
	server.Idle() // the command is gone
	if _, err := client.Run(ctx, remote.Command{Argv: []string{"true"}}); !errors.Is(err, enough) {
		t.Errorf("with an ended context: %v", err)
	}
	if _, err := client.Output(testContext(t), "true"); err != nil {
		t.Errorf("the connection is of no more use: %v", err)
	}
}

// TestRunMany runs more commands at once than sshd allows on a connection: some
// have to wait.
func TestRunMany(t *testing.T) {
	var running atomic.Int32
	release := make(chan struct{})
	server := remotetest.Start(t, remotetest.Config{Handler: func(cmd string, _ io.Reader, stdout, _ io.Writer) int {
		running.Add(1)
		<-release
		_, _ = io.WriteString(stdout, cmd)
		return 0
	}})
	client := connect(t, server)
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			want := fmt.Sprintf("echo %d", i)
			if out, err := client.Output(testContext(t), "echo", fmt.Sprint(i)); err != nil || string(out) != want {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
	waitFor(t, "as many commands as may run", func() bool { return running.Load() >= 8 })
	close(release)
	group.Wait()
}

// TestRunWaitsInVain: a command whose turn does not come ends with the context.
func TestRunWaitsInVain(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	client := connect(t, server)
	ctx, cancel := context.WithCancel(testContext(t))
	var group sync.WaitGroup
	var up atomic.Int32
	for range 9 {
		group.Go(func() {
			_, err := client.Run(ctx, remote.Command{
				Argv: shell("echo up; exec cat"), Stdin: blocked(t), Stdout: onWrite(func() { up.Add(1) }),
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	waitFor(t, "as many commands as may run", func() bool { return up.Load() == 8 })
	cancel()
	group.Wait()
}
