//go:build lab

package remote_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// sudoUsers are users of the lab's host, who all have the same password, with
// their lines in sudoers.
var sudoUsers = map[string]string{
	"free":   "free ALL=(ALL) NOPASSWD: ALL",
	"asked":  "asked ALL=(ALL) ALL",
	"mixed":  "mixed ALL=(ALL) ALL\nmixed ALL=(ALL) NOPASSWD: /usr/bin/sha256sum",
	"shell":  "shell ALL=(ALL) ALL\nshell ALL=(ALL) NOPASSWD: /usr/bin/sh, /bin/sh",
	"some":   "some ALL=(ALL) /usr/bin/sha256sum",
	"bare":   "Defaults:bare requiretty\nbare ALL=(ALL) NOPASSWD: ALL",
	"nosudo": "",
}

const sudoPassword = `it's a "pass\word" $HOME`

// sudoLab is a host with real sudo.
type sudoLab struct {
	*remotetest.Container
	keys *remote.HostKeys
	root *remote.Client
}

func newSudoLab(t *testing.T) *sudoLab {
	t.Helper()
	lab := &sudoLab{Container: remotetest.StartContainer(t), keys: newKeys(t)}
	var err error
	if lab.root, err = remote.WaitDial(testContext(t), lab.Host, lab.keys, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lab.root.Close() })
	for user, line := range sudoUsers {
		lab.do(t, "useradd --create-home --shell /bin/bash "+user)
		lab.do(t, fmt.Sprintf("cp -R /root/.ssh ~%s/ && chown -R %s: ~%s/.ssh", user, user, user))
		lab.feed(t, user+":"+sudoPassword, "chpasswd")
		lab.feed(t, line+"\n", "cat >/etc/sudoers.d/"+user)
	}
	return lab
}

// do runs a line as root, by a login that needs no sudo.
func (l *sudoLab) do(t *testing.T, line string) string {
	t.Helper()
	return l.feed(t, "", line)
}

func (l *sudoLab) feed(t *testing.T, input, line string) string {
	t.Helper()
	result, err := l.root.Run(testContext(t), remote.Command{Argv: shell(line), Stdin: strings.NewReader(input)})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(result.Stdout))
}

// pool is of the host alone, as a user.
func (l *sudoLab) pool(t *testing.T, user, password string) *remote.Pool {
	t.Helper()
	host := l.Host
	host.User, host.Sudo = user, &remote.Sudo{Password: password}
	pool := remote.NewPool([]remote.Host{host}, l.keys)
	t.Cleanup(func() { pool.Close() })
	return pool
}

func TestLabSudo(t *testing.T) {
	lab := newSudoLab(t)
	for name, test := range map[string]struct{ user, password string }{
		"no password asked":           {"free", ""},
		"no password asked but given": {"free", "whatever"},
		"password":                    {"asked", sudoPassword},
		"password, but for one":       {"mixed", sudoPassword},
		"password, but for a shell":   {"shell", sudoPassword},
		"root already":                {"root", ""},
	} {
		t.Run(name, func(t *testing.T) {
			pool := lab.pool(t, test.user, test.password)
			client, err := pool.Root().Client(testContext(t), "node0")
			if err != nil {
				t.Fatal(err)
			}
			isRoot(t, client)
			plain, err := pool.Client(testContext(t), "node0")
			if err != nil {
				t.Fatal(err)
			}
			if who, err := plain.Output(testContext(t), "id", "-un"); err != nil || string(who) != test.user+"\n" {
				t.Errorf("the plain client is %q (%v)", who, err)
			}
			if open := lab.do(t, "pgrep --count --full '^sshd: "+test.user+"@notty|^sshd: "+test.user+"$' || true"); test.user != "root" && open != "1" {
				t.Errorf("%s connections", open)
			}
		})
	}
}

// isRoot fails unless the client runs commands as root just as it would run those
// of the user.
func isRoot(t *testing.T, client *remote.Client) {
	t.Helper()
	input := make([]byte, 5<<20)
	if _, err := rand.Read(input); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(input)
	result, err := client.Run(testContext(t), remote.Command{Argv: []string{"sha256sum"}, Stdin: bytes.NewReader(input)})
	if want := hex.EncodeToString(sum[:]) + "  -\n"; err != nil || string(result.Stdout) != want || len(result.Stderr) > 0 {
		t.Errorf("sha256sum: %q (%v)", result, err)
	}
	result, err = client.Run(testContext(t), remote.Command{Argv: []string{"cat"}, Stdin: bytes.NewReader(input)})
	if err != nil || !bytes.Equal(result.Stdout, input) {
		t.Errorf("cat: %d bytes of %d (%v)", len(result.Stdout), len(input), err)
	}
	result, err = client.Run(testContext(t), remote.Command{Argv: shell("cat; id -u; echo oops >&2; exit 7")})
	var exit *remote.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || string(result.Stdout) != "0\n" || string(exit.Stderr) != "oops\n" {
		t.Errorf("exit 7: %q (%v)", result, err)
	}
	for argv, want := range map[string]string{"no-such-program x": "exit status 127", "/etc/passwd": "exit status 126"} {
		if _, err := client.Output(testContext(t), strings.Fields(argv)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", argv, err)
		}
	}
	_, err = client.Output(testContext(t), "sh", "-c", "kill -9 $$")
	if !errors.As(err, &exit) || exit.Code != 137 {
		t.Errorf("killed: %v", err)
	}
	endsWithContext(t, client)
	// Nothing of the password in what others on the host can see.
	seen, err := client.Output(testContext(t), "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl --no-pager; cat /var/log/auth.log 2>/dev/null || true")
	if err != nil || len(seen) < 1000 || bytes.Contains(seen, []byte("pass\\word")) {
		t.Errorf("the password can be seen among %d bytes (%v)", len(seen), err)
	}
	if err := client.WriteFile(testContext(t), "/etc/of root/file", 0o600, bytes.NewReader(input)); err != nil {
		t.Error(err)
	}
	if sum, err := client.Output(testContext(t), "stat", "-c", "%U %a %s", "/etc/of root/file"); err != nil || string(sum) != fmt.Sprintf("root 600 %d\n", len(input)) {
		t.Errorf("file: %q (%v)", sum, err)
	}
}

// endsWithContext fails unless a command that waits for input ends with its
// context: nobody but root may signal it, and it sees its input end.
func endsWithContext(t *testing.T, client *remote.Client) {
	t.Helper()
	ctx, cancel := context.WithCancel(testContext(t))
	_, err := client.Run(ctx, remote.Command{Argv: append(shell("echo up; cat; :"), "waits-for-input"), Stdin: blocked(t), Stdout: onWrite(cancel)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	waitFor(t, "the command to end", func() bool {
		_, err := client.Output(testContext(t), "pgrep", "--full", "[w]aits-for-input")
		return remote.ExitCode(err) == 1
	})
}

// TestLabSudoersChange: sudo stops to ask for the password behind our back.
func TestLabSudoersChange(t *testing.T) {
	lab := newSudoLab(t)
	client, err := lab.pool(t, "asked", sudoPassword).Root().Client(testContext(t), "node0")
	if err != nil {
		t.Fatal(err)
	}
	isRoot(t, client)
	lab.feed(t, "asked ALL=(ALL) NOPASSWD: ALL\n", "cat >/etc/sudoers.d/asked")
	isRoot(t, client)
	lab.feed(t, "Defaults use_pty, log_input, log_output\nasked ALL=(ALL) ALL\n", "cat >/etc/sudoers.d/asked")
	isRoot(t, client)
}

func TestLabSudoFaults(t *testing.T) {
	lab := newSudoLab(t)
	refuse := func(user, password string, fault remote.SudoFault) {
		t.Helper()
		_, err := lab.pool(t, user, password).Root().Client(testContext(t), "node0")
		var refused *remote.SudoError
		if !errors.As(err, &refused) || refused.Fault != fault || refused.Node != "node0" || refused.User != user {
			t.Errorf("%s with %q: %v (%+v)", user, password, err, refused)
		}
		t.Logf("%v: %s", err, refused.Said)
		if remote.Retryable(err) {
			t.Errorf("%v is retryable", err)
		}
	}
	refuse("asked", "", remote.SudoNeedsPassword)
	refuse("asked", "wrong", remote.SudoWrongPassword)
	refuse("nosudo", "", remote.SudoNeedsPassword) // sudo asks before it says more
	refuse("nosudo", sudoPassword, remote.SudoNotAllowed)
	refuse("some", sudoPassword, remote.SudoNotAllowed)
	refuse("bare", "", remote.SudoNeedsTerminal)
	lab.do(t, "chmod u-s /usr/bin/sudo")
	refuse("free", "", remote.SudoFails)
	lab.do(t, "rm /usr/bin/sudo")
	refuse("free", "", remote.SudoMissing)
	refuse("asked", sudoPassword, remote.SudoMissing)
}

// TestLabSudoRefusedOnce: sudo sees one wrong password of two hosts that are connected
// to twice. (They are one host here, with two names.)
func TestLabSudoRefusedOnce(t *testing.T) {
	lab := newSudoLab(t)
	host := lab.Host
	host.User, host.Sudo = "asked", &remote.Sudo{Password: "wrong"}
	other := host
	other.Name = "node1"
	for range 2 {
		pool := remote.NewPool([]remote.Host{host, other}, lab.keys)
		for _, name := range []string{"node0", "node1"} {
			_, err := pool.Root().Client(testContext(t), name)
			var refused *remote.SudoError
			if !errors.As(err, &refused) || refused.Fault != remote.SudoWrongPassword || refused.Node != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
	const failures = "journalctl --no-pager --output=cat _COMM=sudo | grep --count 'incorrect password attempt' || true"
	if count := lab.do(t, failures); count != "1" {
		t.Errorf("%s wrong passwords", count)
	}
}

// hereVariable makes TestLabSudoHere the test that runs on the lab's host.
const hereVariable = "SIRIKATA_LAB_HERE"

// TestLabSudoHere runs itself on the lab's host, which is then the operator's
// machine, as a user who is asked for a password and as one who is not.
func TestLabSudoHere(t *testing.T) {
	if os.Getenv(hereVariable) != "" {
		password, err := io.ReadAll(os.Stdin)
		if err != nil {
			t.Fatal(err)
		}
		pool := remote.NewPool([]remote.Host{{Name: "me", Here: true, Sudo: &remote.Sudo{Password: string(password)}}}, newKeys(t))
		defer pool.Close()
		client, err := pool.Root().Client(testContext(t), "me")
		if err != nil {
			t.Fatal(err)
		}
		isRoot(t, client)
		return
	}
	lab := newSudoLab(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("docker", "cp", program, lab.ID+":/remote.test").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for user, password := range map[string]string{"free": "", "asked": sudoPassword, "root": ""} {
		again := exec.Command("docker", "exec", "--interactive", "--user", user, "--env", "HOME=/", "--workdir", "/", "--env", hereVariable+"=1",
			lab.ID, "/remote.test", "-test.run=^TestLabSudoHere$", "-test.v")
		again.Stdin = strings.NewReader(password)
		out, err := again.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%s: %v\n%s", user, err, out)
		}
	}
}

// TestLabSudoCosts measures what sudo adds to a command, for docs/adr/0016.
func TestLabSudoCosts(t *testing.T) {
	lab := newSudoLab(t)
	for _, as := range []struct{ user, password string }{{"free", ""}, {"asked", sudoPassword}} {
		pool := lab.pool(t, as.user, as.password)
		begin := time.Now()
		plain, err := pool.Client(testContext(t), "node0")
		if err != nil {
			t.Fatal(err)
		}
		login := time.Since(begin)
		begin = time.Now()
		root, err := pool.Root().Client(testContext(t), "node0")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: login %v, root %v, then each command %v, as root %v", as.user, login, time.Since(begin), each(t, plain), each(t, root))
	}
}

// each is the mean duration of a command.
func each(t *testing.T, client *remote.Client) time.Duration {
	t.Helper()
	const times = 20
	begin := time.Now()
	for range times {
		if _, err := client.Output(testContext(t), "true"); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(begin) / times
}
