package fence

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWrongSecret: who does not know the secret has no power, and is told so.
func TestWrongSecret(t *testing.T) {
	e := mixed(t)
	l := newLab(t, e)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte(strings.ToUpper(secretText)), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := l.ask(t, "off", "node0", "secret_file="+wrong)
	want := "fence_sirikata: off node0: ask the power service at " + l.address + ": it does not accept our secret: " +
		wrong + " is not the secret of that service, whose cluster may be another one\n"
	if status != 1 || stderr != want || e.done() != "" {
		t.Errorf("%d %q, want %q", status, stderr, want)
	}
	if want := "refused: the request is not signed with the secret of this cluster"; !strings.Contains(l.log(), want) {
		t.Errorf("log %q lacks %q", l.log(), want)
	}
}

// talk is a conversation by hand.
func talk(t *testing.T, address string, say func(hello string) string) (hello, reply string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	lines := bufio.NewScanner(conn)
	lines.Scan()
	hello = lines.Text()
	if _, err := conn.Write([]byte(say(hello) + "\n")); err != nil {
		t.Fatal(err)
	}
	lines.Scan()
	return hello, lines.Text()
}

// TestReplay: a request that was heard is good for one conversation.
func TestReplay(t *testing.T) {
	e := mixed(t)
	l := newLab(t, e)
	var heard string
	_, reply := talk(t, l.address, func(hello string) string {
		heard, _ = seal([]byte(secretText), hello, request{Action: off, Plug: "node0"})
		return heard
	})
	if reply == refusal || e.done() != "kill c0" {
		t.Fatalf("the first time: %q", reply)
	}
	e.containers["c0"].Running = true
	for _, line := range []string{heard, "", " ", "zz {}", strings.Replace(heard, "node0", "node1", 1)} {
		if _, reply = talk(t, l.address, func(string) string { return line }); reply != refusal || e.done() != "" {
			t.Errorf("%q: %q", line, reply)
		}
	}
}

// impostor greets and answers each agent with what it was given.
func impostor(t *testing.T, hello string, reply func(request string) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w := newWire(conn)
			_ = w.send(hello)
			if line, err := w.receive(); err == nil {
				if text := reply(line); text != "" {
					_ = w.send(text)
				}
			}
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

// TestImpostor: an answer counts only if it is the service's, to this request.
func TestImpostor(t *testing.T) {
	secret := []byte(secretText)
	said := answer{Did: "was killed and is off"}
	// What an impostor has heard: the greeting, the request and the answer of an
	// earlier conversation.
	hello := greeting + nonce()
	old, _ := seal(secret, hello, request{Action: off, Plug: "node0", Nonce: nonce()})
	oldAnswer, _ := seal(secret, old, said)
	for _, test := range []struct {
		name  string
		hello string
		reply func(line string) string
		want  error
		text  string
	}{
		{"the service itself", hello, func(line string) string { text, _ := seal(secret, line, said); return text }, nil, ""},
		{"an old answer", hello, func(string) string { return oldAnswer }, errForged, ""},
		{"the request itself", hello, func(line string) string { return line }, errForged, ""},
		{"another secret", hello, func(line string) string { text, _ := seal([]byte("x"), line, said); return text }, errForged, ""},
		{"no secret", hello, func(string) string { return `{"did":"was off already"}` }, errForged, ""},
		{"nothing", hello, func(string) string { return "" }, nil, "wait for its answer: EOF"},
		{"another service", "220 mail.example.org ESMTP", func(string) string { return "" }, nil, "what answers there is no power service"},
		{"a long line", strings.Repeat("x", maxLine+1), func(string) string { return "" }, nil, "read its greeting: bufio: buffer full"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			got, err := call(ctx, impostor(t, test.hello, test.reply), secret, request{Action: off, Plug: "node0"})
			if test.want == nil && test.text == "" {
				if err != nil || got.Did != said.Did {
					t.Errorf("%+v, %v", got, err)
				}
			} else if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestSilent: a service that hangs does not hang the agent.
func TestSilent(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	address := impostor(t, greeting+nonce(), func(string) string { <-release; return "" })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := call(ctx, address, []byte(secretText), request{Action: monitor}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestRedial: the agent waits for a service that is just being replaced.
func TestRedial(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	late := make(chan error, 1)
	time.AfterFunc(3*redialPause/2, func() { // until then nobody listens
		listener, err := net.Listen("tcp", address)
		late <- err
		if err != nil {
			return
		}
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conn.Close()
	})
	conn, err := dial(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := <-late; err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 2*redialPause)
	defer cancel()
	if _, err := dial(short, address); err == nil {
		t.Error("nobody listens any more")
	}
}
