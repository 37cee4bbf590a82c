package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

const sudoQuestion = `Password for sudo on the nodes of cluster "world": `

// person is a terminal at which somebody sits.
type person struct {
	t           *testing.T
	screen, tty *os.File
	before      *term.State
}

func newPerson(t *testing.T) *person {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tty.Close(), screen.Close() })
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, screen: screen, tty: tty, before: before}
}

// open is what the program does to have the terminal, which it closes again.
func (p *person) open() (*os.File, error) { return os.OpenFile(p.tty.Name(), os.O_RDWR, 0) }

// types waits for the question and answers it.
func (p *person) types(answer string) {
	p.t.Helper()
	question := make([]byte, len(sudoQuestion))
	if _, err := io.ReadFull(p.screen, question); err != nil || string(question) != sudoQuestion {
		p.t.Errorf("asked %q (%v)", question, err)
	}
	if _, err := p.screen.WriteString(answer); err != nil {
		p.t.Error(err)
	}
}

// sees is what the screen shows beyond the question, up to a mark that is put
// there now.
func (p *person) sees() string {
	p.t.Helper()
	const mark = "END"
	if _, err := p.tty.WriteString(mark); err != nil {
		p.t.Fatal(err)
	}
	var shown bytes.Buffer
	for !strings.HasSuffix(shown.String(), mark) {
		if _, err := io.CopyN(&shown, p.screen, 1); err != nil {
			p.t.Fatal(err)
		}
	}
	return strings.TrimSuffix(shown.String(), mark)
}

// hasTerminalBack fails unless the terminal is as it was.
func (p *person) hasTerminalBack() {
	p.t.Helper()
	if now, err := term.GetState(int(p.tty.Fd())); err != nil || *now != *p.before {
		p.t.Errorf("the terminal is not as it was: %+v, not %+v (%v)", now, p.before, err)
	}
}

func sudoSpec() cluster.Spec {
	return cluster.Spec{Name: "world", Type: cluster.AdHoc, Engine: cluster.Pacemaker}
}

func TestSudoPassword(t *testing.T) {
	for answer, want := range map[string]string{
		"s3cret\n": "s3cret", " two  words \n": " two  words ", "ä$'\"\\\n": "ä$'\"\\", "\n": "", "\x04": "", "wrong\x15right\n": "right",
	} {
		p := newPerson(t)
		a := &app{terminal: p.open}
		go p.types(answer)
		got, err := a.sudoPassword(t.Context(), sudoSpec())
		if got != want || (err == nil) != (want != "") || err != nil && exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%q: %q (%v), not %q", answer, got, err, want)
		}
		if shown := p.sees(); strings.TrimSpace(shown) != "" || !strings.HasSuffix(shown, "\n") {
			t.Errorf("%q: the screen shows %q", answer, shown)
		}
		p.hasTerminalBack()
	}
}

// TestSudoPasswordInterrupted gives the terminal back while nobody answers.
func TestSudoPasswordInterrupted(t *testing.T) {
	p := newPerson(t)
	a := &app{terminal: p.open}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		p.types("")
		cancel(errInterrupted)
	}()
	for range 2 {
		if _, err := a.sudoPassword(ctx, sudoSpec()); !errors.Is(err, errInterrupted) || exitCode(ctx, err) != exitInterrupted {
			t.Errorf("error %v", err)
		}
		p.hasTerminalBack()
	}
}

func TestSudoPasswordRefused(t *testing.T) {
	a := &app{terminal: func() (*os.File, error) { return nil, errors.New("no such device or address") }}
	_, err := a.sudoPassword(t.Context(), sudoSpec())
	if err == nil || err.Error() != "--ask-sudo-password: there is no terminal to ask on: no such device or address" ||
		exitCode(t.Context(), err) != exitUsage || !strings.Contains(cluster.HintOf(err), "NOPASSWD") {
		t.Errorf("without a terminal: %v, hint %q", err, cluster.HintOf(err))
	}
	a.terminal = func() (*os.File, error) { t.Error("it asks"); return nil, os.ErrNotExist }
	for want, spec := range map[string]cluster.Spec{
		`cluster "a" is of type adhoc with the engine direct`:    {Name: "a", Type: cluster.AdHoc, Engine: cluster.Direct},
		`cluster "b" is of type local with the engine pacemaker`: {Name: "b", Type: cluster.Local, Engine: cluster.Pacemaker},
	} {
		_, err := a.sudoPassword(t.Context(), spec)
		if err == nil || exitCode(t.Context(), err) != exitUsage || !strings.HasSuffix(err.Error(), want) || cluster.HintOf(err) == "" {
			t.Errorf("%v, hint %q", err, cluster.HintOf(err))
		}
	}
}

// TestSudoFlag has the flag on what reaches hosts, and on nothing else.
func TestSudoFlag(t *testing.T) {
	without := map[string]bool{
		"help": true, "list": true, "crash test": true, "sirikata package": true, "adhoc create": true, "completion": true,
	}
	for _, cmd := range leaves(newRoot(&app{env: nodegroup.FromEnv})) {
		words := strings.TrimPrefix(cmd.CommandPath(), name+" ")
		want := !without[words] && !strings.HasPrefix(words, "local ")
		if has := cmd.Flags().Lookup("ask-sudo-password") != nil; has != want && does(cmd) {
			t.Errorf("%s: has the flag: %v", words, has)
		}
	}
}

// does reports whether a command is more than a word before others.
func does(cmd *cobra.Command) bool { return cmd.Args != nil || cmd.DisableFlagParsing }

// sudoingHost is a host on which sudo refuses every password, and remembers what
// it was given.
type sudoingHost struct {
	server *remotetest.Server
	mu     sync.Mutex
	inputs []string
	lines  []string
}

func (h *sudoingHost) handle(line string, stdin io.Reader, _, stderr io.Writer) int {
	said := "sudo: a password is required\n"
	if strings.Contains(line, "sudo -k -S") {
		said = "Sorry, try again.\nsudo: 1 incorrect password attempt\n"
	}
	input, _ := io.ReadAll(stdin)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inputs, h.lines = append(h.inputs, string(input)), append(h.lines, line)
	_, _ = io.WriteString(stderr, said)
	return 1
}

// TestAskSudoPassword gives a host the password that was typed.
func TestAskSudoPassword(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("PATH", home) // no ssh: the usual files alone
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(home, "id")
	if err := os.WriteFile(identity, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	host := &sudoingHost{}
	host.server = remotetest.Start(t, remotetest.Config{Authorized: []ssh.PublicKey{signer.PublicKey()}, Handler: host.handle})
	address, port, _ := strings.Cut(host.server.Addr, ":")
	word := fmt.Sprintf(`{"dns_name":%q,"port":%s,"name":"h0","identity_file":%q}`, address, port, identity)

	var errOut bytes.Buffer
	p := newPerson(t)
	a := &app{in: strings.NewReader(""), out: io.Discard, err: &errOut, terminal: p.open,
		env: func() (nodegroup.Env, error) { return nodegroup.Env{Home: filepath.Join(home, "store")}, nil }}
	if code := a.run(t.Context(), []string{"adhoc", "create", "world", "bob", "/s", "/w", "/x", word, "--engine=pacemaker"}); code != exitDone {
		t.Fatal(errOut.String())
	}
	go p.types("s3cret\n")
	code := a.run(t.Context(), []string{"adhoc", "list", "services", "world", "--ask-sudo-password"})
	if want := `become root on h0 as "bob": sudo refused the password`; code != exitError || !strings.Contains(errOut.String(), want) {
		t.Errorf("exit code %d\n%s", code, errOut.String())
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	if len(host.inputs) != 2 || host.inputs[0] != "" || host.inputs[1] != "s3cret\n" {
		t.Errorf("sudo was given %q", host.inputs)
	}
	if strings.Contains(strings.Join(host.lines, "\n")+errOut.String(), "s3cret") {
		t.Errorf("the password is shown:\n%s\n%s", host.lines, errOut.String())
	}
}
