package remote_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// here is a client of this machine, whose home is a directory of the test.
func here(t *testing.T) (client *remote.Client, home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	client, err := remote.Dial(testContext(t), remote.Host{Name: "me", Here: true}, newKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client, home
}

// TestHere is as over SSH: in the home directory, every word as it is, and the
// exit status passed on.
func TestHere(t *testing.T) {
	client, home := here(t)
	words := []string{"printf", "%s|", "a  b", "$HOME", "'\"", "", "ä\n"}
	out, err := client.Output(testContext(t), words...)
	if want := strings.Join(words[2:], "|") + "|"; err != nil || string(out) != want {
		t.Errorf("%q (%v), not %q", out, err, want)
	}
	if out, err := client.Output(testContext(t), "pwd"); err != nil || string(out) != home+"\n" {
		t.Errorf("in %q (%v)", out, err)
	}
	result, err := client.Run(testContext(t), remote.Command{
		Argv: []string{"sh", "-c", "cat; echo why >&2; exit 7"}, Stdin: strings.NewReader("input")})
	var exit *remote.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || string(exit.Stderr) != "why\n" || string(result.Stdout) != "input" {
		t.Errorf("%q: %v", result, err)
	}
	wantText(t, err, "", `run "sh" on me: exit status 7: why`)
	_, err = client.Output(testContext(t), "sh", "-c", "kill -9 $$")
	if !errors.As(err, &exit) || exit.Signal != "" && exit.Signal != "KILL" || exit.Code != 137 {
		t.Errorf("killed: %v", err)
	}
	_, err = client.Output(testContext(t), "no-such-program")
	if !errors.As(err, &exit) || exit.Code != 127 {
		t.Errorf("no program: %v", err)
	}
	file := filepath.Join(home, "new", "it's a file")
	if err := client.WriteFile(testContext(t), file, 0o640, strings.NewReader("content")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 || info.Size() != 7 {
		t.Errorf("%v (%v)", info, err)
	}
}

// TestHereEnds ends a command, and what it started, with the context and with the
// client.
func TestHereEnds(t *testing.T) {
	client, home := here(t)
	const script = "trap 'echo ended >ended; exit' TERM; (sleep 300; echo) & echo begun >begun; wait"
	begun := func() bool { _, err := os.Stat(filepath.Join(home, "begun")); return err == nil }
	run := func(ctx context.Context) <-chan error {
		over := make(chan error, 1)
		go func() {
			_, err := client.Output(ctx, "sh", "-c", script)
			over <- err
		}()
		waitFor(t, "the command to begin", begun)
		return over
	}
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(testContext(t))
	over := run(ctx)
	cancel(stop)
	if err := <-over; !errors.Is(err, stop) {
		t.Errorf("cancelled: %v", err)
	}
	waitFor(t, "the command to end", func() bool { _, err := os.Stat(filepath.Join(home, "ended")); return err == nil })
	if err := errors.Join(os.Remove(filepath.Join(home, "begun")), os.Remove(filepath.Join(home, "ended"))); err != nil {
		t.Fatal(err)
	}
	over = run(testContext(t))
	for range 2 {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-over; !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := client.Output(testContext(t), "true"); !errors.Is(err, net.ErrClosed) || !client.Closed() {
		t.Errorf("after the end: %v", err)
	}
}

func TestHereAsAnother(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	_, err = remote.Dial(testContext(t), remote.Host{Name: "me", User: me.Username + "x", Here: true}, newKeys(t))
	if err == nil || !strings.Contains(err.Error(), "not as \""+me.Username+"x\"") || cluster.HintOf(err) == "" {
		t.Error(err)
	}
	args, err := remote.Prompt(testContext(t), remote.Host{Name: "me", User: me.Username, Here: true}, newKeys(t), "")
	if err != nil || args[0] != "/bin/sh" {
		t.Errorf("%q (%v)", args, err)
	}
}
