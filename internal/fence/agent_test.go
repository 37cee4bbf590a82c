package fence

import (
	"bytes"
	"context"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func runAgent(t *testing.T, stdin string) (status int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	status = Agent(context.Background(), "1.2.3", strings.NewReader(stdin), &out, &problems)
	return status, out.String(), problems.String()
}

func TestMetadata(t *testing.T) {
	const golden = "testdata/metadata.xml"
	_, got, _ := runAgent(t, "# from Pacemaker\naction=metadata\n")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("metadata (-want +got), -update to accept:\n%s", diff)
	}
	if err := xml.Unmarshal([]byte(got), &metaAgent{}); err != nil {
		t.Error(err)
	}
}

// TestBadOptions: each fault is told in words.
func TestBadOptions(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("0123456789\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ stdin, want string }{
		{"action=monitor", "address is not set: it is the host and port of the power service"},
		{"action=validate-all", "address is not set: it is the host and port of the power service"},
		{"action=monitor\naddress=x:1\nsecret_file=/none", "read the secret: open /none: no such file or directory"},
		{"action=monitor\naddress=x:1\nsecret_file=" + short, "read the secret in " + short + ": it has 10 characters: a secret has 32 at least"},
		{"action=off\naddress=x:1", "off: which node? Give plug, or nodename"},
		{"", "reboot: which node? Give plug, or nodename"},
	} {
		status, stdout, stderr := runAgent(t, test.stdin)
		if status != 1 || stdout != "" || stderr != "fence_sirikata: "+test.want+"\n" {
			t.Errorf("%q: %d %q %q, want %q", test.stdin, status, stdout, stderr, test.want)
		}
	}
}

// TestTarget: what the node is called by.
func TestTarget(t *testing.T) {
	for stdin, want := range map[string]request{
		"nodename=node1\naction=off\nport=node2\nplug=node3": {Action: off, Plug: "node3"},
		"nodename=node1\naction=off\nport=node2":             {Action: off, Plug: "node2"},
		"nodename=node1\naction=status":                      {Action: status, Plug: "node1"},
		" action=monitor \n\nunknown=x\nnodename=node1\nodd": {Action: monitor},
		"#action=on\nnodename=node1":                         {Action: reboot, Plug: "node1"},
	} {
		options, err := readOptions(strings.NewReader(stdin))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := options.request(); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", stdin, got, err, want)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short")
	good := filepath.Join(dir, "good")
	for file, text := range map[string]string{short: "x", good: secretText} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := func(secret, listen string) []string {
		return []string{"--listen", listen, "--secret", secret, "--engine", "/none", "--label", ourLabel, "--index-label", indexLabel}
	}
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "power-service needs every one of its options, and no argument"},
		{[]string{"--port", "1"}, 2, "flag provided but not defined: -port"},
		{append(all(good, "127.0.0.1:0"), "x"), 2, "no argument"},
		{append(all(good, "127.0.0.1:0"), "--label", "key"), 2, "every one of its options"}, // power over everything
		{all(filepath.Join(dir, "none"), "127.0.0.1:0"), 1, "read the secret: open "},
		{all(short, "127.0.0.1:0"), 1, "it has 1 characters"},
		{all(good, "127.0.0.1:x"), 1, "listen tcp"},
	} {
		var stderr bytes.Buffer
		if status := Serve(t.Context(), test.args, &stderr); status != test.status || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%q: %d %q, want %d %q", test.args, status, stderr.String(), test.status, test.want)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add("HTTP/1.0 200 OK\r\nA: b\r\n\r\n[]")
	f.Add("HTTP/1.0 204 No Content\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		status, body, err := readAnswer(strings.NewReader(text))
		if err == nil && (!strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "HTTP/1.") || !strings.HasSuffix(text, string(body))) {
			t.Errorf("%q: %d %q", text, status, body)
		}
	})
}

func FuzzOpen(f *testing.F) {
	line, err := seal([]byte(secretText), "hello", request{Action: off})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add("00 {}")
	f.Fuzz(func(t *testing.T, text string) {
		var req request
		if err := open([]byte(secretText), "hello", text, &req); err == nil && !strings.EqualFold(text, line) {
			t.Errorf("%q is taken for signed", text)
		}
	})
}
