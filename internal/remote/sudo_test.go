package remote_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// fakeSudo asks for a password unless there is a file "free" beside it, and writes
// down how it was called and with which environment. It reads no byte more than
// the password, as sudo does.
const fakeSudo = `#!/bin/sh
beside=$(dirname "$0")
{ echo "sudo $*"; env; } >>"$beside/calls"
n= s=
while [ "$1" != -- ]; do
	case $1 in
	-n) n=1 ;;
	-S) s=1 ;;
	-k | -p | '') ;;
	*) echo "option $1" >&2; exit 99 ;;
	esac
	shift
done
shift
if [ -e "$beside/fails" ]; then cat "$beside/fails" >&2; exit 1; fi
if [ ! -e "$beside/free" ]; then
	if [ "$n" ]; then echo "sudo: a password is required" >&2; exit 1; fi
	[ "$s" ] || exit 98
	IFS= read -r password
	if [ "$password" != "$(cat "$beside/password")" ]; then
		echo "Sorry, try again." >&2
		IFS= read -r again || echo "sudo: no password was provided" >&2
		echo "sudo: 1 incorrect password attempt" >&2
		exit 1
	fi
fi
AS=root exec "$@"
`

// sudoHost is a directory of programs that stands first in PATH, of which sudo
// and id are fake.
type sudoHost string

const rightPassword = `p4ss "word" \n $HOME'`

func newSudoHost(t *testing.T, uid string) sudoHost {
	t.Helper()
	dir := sudoHost(t.TempDir())
	dir.write(t, "sudo", fakeSudo)
	dir.write(t, "id", "#!/bin/sh\necho "+uid+"\n")
	dir.write(t, "password", rightPassword)
	t.Setenv("PATH", string(dir)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return dir
}

func (d sudoHost) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(string(d), name), []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// calls are the calls of sudo so far, with the environment of each.
func (d sudoHost) calls(t *testing.T) (text string, count int) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(string(d), "calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(content), strings.Count("\n"+string(content), "\nsudo ")
}

// sudoPool is a pool of servers with sudo, named a, b, ….
func sudoPool(t *testing.T, sudo *remote.Sudo, servers ...*remotetest.Server) *remote.Pool {
	t.Helper()
	var hosts []remote.Host
	for i, server := range servers {
		host := server.Host(string(rune('a' + i)))
		host.Sudo = sudo
		hosts = append(hosts, host)
	}
	pool := remote.NewPool(hosts, newKeys(t))
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

func mustClient(t *testing.T, pool *remote.Pool, name string) *remote.Client {
	t.Helper()
	client, err := pool.Client(testContext(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestSudo runs commands by way of sudo, which asks for the password or not,
// also where that changes behind our back, over SSH and on this machine.
func TestSudo(t *testing.T) {
	for name, here := range map[string]bool{"ssh": false, "here": true} {
		t.Run(name, func(t *testing.T) {
			host := newSudoHost(t, "1000")
			t.Setenv("HOME", t.TempDir())
			pool := sudoPool(t, &remote.Sudo{Password: rightPassword}, remotetest.Start(t, remotetest.Config{Real: true}))
			if here {
				pool = remote.NewPool([]remote.Host{{Name: "a", Here: true, Sudo: &remote.Sudo{Password: rightPassword}}}, newKeys(t))
				t.Cleanup(func() { _ = pool.Close() })
			}
			client := mustClient(t, pool.Root(), "a")
			runsAsRoot(t, client)
			host.write(t, "free", "")
			runsAsRoot(t, client)
			if calls, _ := host.calls(t); strings.Contains(calls, "p4ss") {
				t.Errorf("the password is in an argument or in the environment:\n%s", calls)
			}
			if out, err := mustClient(t, pool, "a").Output(testContext(t), shell("echo $AS")...); err != nil || string(out) != "\n" {
				t.Errorf("the plain client is root's: %q (%v)", out, err)
			}
		})
	}
}

func runsAsRoot(t *testing.T, client *remote.Client) {
	t.Helper()
	for _, input := range []string{"", "one\n", "\x00\xff\n\n", strings.Repeat("0123456789abcd\x00\n", 1<<16)} {
		result, err := client.Run(testContext(t), remote.Command{
			Argv: append(shell(`echo "$AS|$*"; cat`), "sh", "a b", "", "$HOME"), Stdin: strings.NewReader(input)})
		if want := "root|a b  $HOME\n" + input; err != nil || string(result.Stdout) != want || len(result.Stderr) > 0 {
			t.Errorf("%d bytes of input: %d of %d came back (%v)", len(input), len(result.Stdout), len(want), err)
		}
	}
	_, err := client.Output(testContext(t), shell("cat; echo why >&2; exit 3")...)
	wantText(t, err, "", `run "sh" on a: exit status 3: why`)
	if _, err = client.Output(testContext(t), "no-such-program"); remote.ExitCode(err) != 127 {
		t.Errorf("no program: %v", err)
	}
	var out bytes.Buffer
	if _, err := client.Run(testContext(t), remote.Command{Argv: []string{"head", "-c", "3"}, Stdin: io.MultiReader(strings.NewReader("abc"), blocked(t)), Stdout: &out}); err != nil || out.String() != "abc" {
		t.Errorf("input that does not end: %q (%v)", out.String(), err)
	}
}

// TestSudoFree gives no password to a sudo that wants none.
func TestSudoFree(t *testing.T) {
	host := newSudoHost(t, "1000")
	host.write(t, "free", "")
	server := remotetest.Start(t, remotetest.Config{Real: true})
	root := sudoPool(t, &remote.Sudo{Password: rightPassword}, server).Root()
	runsAsRoot(t, mustClient(t, root, "a"))
	if calls, _ := host.calls(t); strings.Contains(calls, "-S") {
		t.Errorf("it was ready to give the password:\n%s", calls)
	}
}

// TestSudoOnce: many want root on one connection at once.
func TestSudoOnce(t *testing.T) {
	for password, calls := range map[string]int{rightPassword: 2, "wrong": 2, "": 1} {
		host := newSudoHost(t, "1000")
		server := remotetest.Start(t, remotetest.Config{Real: true})
		pool := sudoPool(t, &remote.Sudo{Password: password}, server)
		mustClient(t, pool, "a")
		var group sync.WaitGroup
		clients := make([]*remote.Client, 20)
		for i := range clients {
			group.Go(func() { clients[i], _ = pool.Root().Client(testContext(t), "a") })
		}
		group.Wait()
		for _, client := range clients {
			if client != clients[0] || (client == nil) != (password != rightPassword) {
				t.Errorf("%q: clients %p and %p", password, client, clients[0])
			}
		}
		if _, count := host.calls(t); count != calls || server.Connections() != 1 {
			t.Errorf("%q: sudo was called %d times, on %d connections", password, count, server.Connections())
		}
	}
}

// TestSudoNotNeeded gives the very same clients: of hosts without, and to root.
func TestSudoNotNeeded(t *testing.T) {
	for uid, sudo := range map[string]*remote.Sudo{"1000": nil, "0": {}} {
		host := newSudoHost(t, uid)
		server := remotetest.Start(t, remotetest.Config{Real: true})
		pool := sudoPool(t, sudo, server)
		root := pool.Root()
		client := mustClient(t, root, "a")
		if any, err := root.Any(testContext(t), nil); err != nil || any != client || mustClient(t, pool, "a") != client {
			t.Errorf("uid %s: not the same client (%v)", uid, err)
		}
		if err := root.Close(); err != nil || !client.Closed() {
			t.Errorf("uid %s: closed: %v (%v)", uid, client.Closed(), err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		waitFor(t, "no connection", func() bool { return server.Connections() == 0 })
		if calls, count := host.calls(t); count != 0 {
			t.Errorf("sudo was called:\n%s", calls)
		}
	}
}

// TestSudoSharesSessions: commands of both clients count for the one limit of
// sshd.
func TestSudoSharesSessions(t *testing.T) {
	newSudoHost(t, "1000").write(t, "free", "")
	server := remotetest.Start(t, remotetest.Config{Real: true, MaxSessions: 8})
	pool := sudoPool(t, &remote.Sudo{}, server)
	clients := []*remote.Client{mustClient(t, pool, "a"), mustClient(t, pool.Root(), "a")}
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			if _, err := clients[i%2].Output(testContext(t), "cat"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestSudoAny passes hosts over on which root cannot be had.
func TestSudoAny(t *testing.T) {
	host := newSudoHost(t, "1000")
	refusing := remotetest.Start(t, remotetest.Config{Handler: func(_ string, _ io.Reader, _, stderr io.Writer) int {
		_, _ = io.WriteString(stderr, "sh: 1: exec: sudo: not found\n")
		return 127
	}})
	good := remotetest.Start(t, remotetest.Config{Real: true})
	client, err := sudoPool(t, &remote.Sudo{Password: rightPassword}, refusing, good).Root().Any(testContext(t), nil)
	if err != nil || client.Name() != "b" {
		t.Fatalf("%v (%v)", client, err)
	}
	runsAs, err := client.Output(testContext(t), shell("echo $AS")...)
	if err != nil || string(runsAs) != "root\n" {
		t.Errorf("it runs as %q (%v)", runsAs, err)
	}
	_, err = sudoPool(t, &remote.Sudo{}, refusing, good).Root().Any(testContext(t), nil)
	var node *cluster.NodeError
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 2 || !errors.As(err, &node) || node.Node != "a" ||
		!strings.HasPrefix(lines[0], "a: become root on a") || !strings.HasPrefix(lines[1], "b: become root on b") {
		t.Errorf("error is %v", err)
	}
	_, before := host.calls(t)
	_, err = sudoPool(t, &remote.Sudo{Password: "wrong"}, good, good).Root().Any(testContext(t), nil)
	var refused *remote.SudoError
	if !errors.As(err, &refused) || refused.Fault != remote.SudoWrongPassword {
		t.Errorf("error is %v", err)
	}
	if _, after := host.calls(t); after != before+2 {
		t.Errorf("a wrong password was tried %d times", after-before-1)
	}
}

// TestSudoWait waits for a node that goes down while we become root there.
func TestSudoWait(t *testing.T) {
	host := newSudoHost(t, "1000")
	host.write(t, "free", "")
	server := remotetest.Start(t, remotetest.Config{Real: true})
	host.write(t, "id", "#!/bin/sh\ncase $(cat \"${0%/*}/started\" 2>/dev/null) in yes) echo 1000 ;; *) echo yes >\"${0%/*}/started\"; exec sleep 300 ;; esac\n")
	over := make(chan error, 1)
	var reported []error
	pool := sudoPool(t, &remote.Sudo{}, server)
	go func() {
		client, err := pool.Root().Wait(testContext(t), "a", func(err error) { reported = append(reported, err) })
		if err == nil {
			_, err = client.Output(testContext(t), "true")
		}
		over <- err
	}()
	waitFor(t, "the first attempt", func() bool { _, err := os.Stat(filepath.Join(string(host), "started")); return err == nil })
	server.Drop()
	if err := <-over; err != nil || len(reported) == 0 || !errors.Is(reported[0], remote.ErrUnreachable) {
		t.Errorf("%v, after %v", err, reported)
	}
}

// TestSudoHangs gives a sudo up that never answers.
func TestSudoHangs(t *testing.T) {
	newSudoHost(t, "1000").write(t, "sudo", "#!/bin/sh\nexec sleep 300\n")
	host := remotetest.Start(t, remotetest.Config{Real: true}).Host("a")
	host.Sudo = &remote.Sudo{}
	client, err := remote.DialImpatient(testContext(t), host, newKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	_, err = remote.AsRoot(testContext(t), client)
	wantText(t, err, "", "become root on a: sudo did not end within 200ms")
}
