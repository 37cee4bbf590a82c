//go:build lab

package e2e

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestSSHAll(t *testing.T) {
	c := shared(t)
	if r := c.run(t, "ssh", c.name, "--", "echo", "same  words"); r.ok(t).stdout != "node0, node1, node2:\n  same  words\n" {
		t.Errorf("equal answers are not merged\n%v", r)
	}
	// Without --, and with flags that are the command's.
	c.run(t, "ssh", c.name, "printf", "%s ", "--output=json", "-o", "--help").ok(t).says(t, "--output=json -o --help")
	if r := c.run(t, "ssh", c.name, "hostname").ok(t); r.stdout != "node0:\n  node0\nnode1:\n  node1\nnode2:\n  node2\n" {
		t.Errorf("different answers\n%v", r)
	}
	r := c.run(t, "ssh", c.name, "--", "sh", "-c", `echo "I am $(hostname)"; test "$(hostname)" = node1`)
	r.fails(t, 4, "node0", "node2").says(t, "I am node0", "I am node1")
	if strings.Contains(r.stderr, "node1") {
		t.Errorf("it names a node that did not fail\n%v", r)
	}
	c.run(t, "ssh", c.name).fails(t, 2, "COMMAND")
}

func TestNodeSSH(t *testing.T) {
	c := shared(t)
	members := c.status(t).Nodes
	n1 := members[1]
	for _, word := range []string{"1", "node1", n1.ID, n1.ID[:12], n1.Address} {
		if r := c.run(t, "node", "ssh", c.name, word, "hostname").ok(t); r.stdout != "node1\n" {
			t.Errorf("node %q\n%v", word, r)
		}
	}
	in := bytes.Repeat([]byte("any bytes \x00\xff\n"), 20000)
	piped := c.operator
	piped.stdin = bytes.NewReader(in)
	if r := piped.run(t, "node", "ssh", c.name, "0", "cat").ok(t); r.stdout != string(in) {
		t.Errorf("standard input comes back with %d bytes, not %d", len(r.stdout), len(in))
	}
	r := c.run(t, "node", "ssh", c.name, "0", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
	if r.code != 7 || r.stdout != "out\n" || r.stderr != "err\n" {
		t.Errorf("it does not pass on what the command did\n%v", r)
	}
	var quoted bytes.Buffer
	for _, word := range awkward {
		quoted.WriteString(word + "\x00")
	}
	args := append([]string{"node", "ssh", c.name, "2", "--", "printf", "%s\\0"}, awkward...)
	if r := c.quietly(args...).ok(t); r.stdout != quoted.String() {
		t.Errorf("arguments do not arrive as they are\n%v", r)
	}
}

// TestPrompt types into a terminal.
func TestPrompt(t *testing.T) {
	c := shared(t)
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Fatal(err)
	}
	// The answers differ from what is typed, which the terminal echoes.
	shown, code := c.typed(t, "echo $((40+2)) on $(hostname); test -t 0 && echo ter''minal; exit 5\n", "local", "node", "ssh", c.name, "2")
	if code != 5 {
		t.Errorf("exit code %d, not that of the shell, 5", code)
	}
	for _, want := range []string{"42 on node2", "terminal"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the terminal does not show %q:\n%s", want, shown)
		}
	}
}

// TestChangedHostKey replaces a node's host key behind our back.
func TestChangedHostKey(t *testing.T) {
	c := shared(t)
	n := c.node(t, "node0") // which commands usually ask
	const key = "/etc/ssh/ssh_host_ed25519_key"
	fingerprint := func() string { return strings.Fields(n.sh(t, "ssh-keygen -lf "+key))[1] }
	before := fingerprint()
	n.sh(t, "rm -f "+key+"* && ssh-keygen -q -t ed25519 -N '' -f "+key+" && systemctl restart ssh")
	after := fingerprint()
	r := c.run(t, "node", "ssh", c.name, "0", "--", "true")
	r.fails(t, 1, "node0", before, after).hints(t, "node trust "+c.name+" node0")
	c.run(t, "ssh", c.name, "--", "true").fails(t, 4, "node0", before, after)
	c.run(t, "local", "fix", "corosync", c.name).fails(t, 1, "node0", before, after)
	// Another node tells what the cluster does.
	c.run(t, "status", c.name).ok(t)

	r = c.run(t, "local", "node", "trust", c.name, "node0").ok(t)
	if text := r.stdout + r.stderr; !strings.Contains(text, before) || !strings.Contains(text, after) {
		t.Errorf("trust does not show both fingerprints, %s and %s\n%v", before, after, r)
	}
	c.run(t, "node", "ssh", c.name, "0", "--", "true").ok(t)
	c.run(t, "node", "trust", c.name, "0").ok(t).says(t, "already")
	c.boot(t).ok(t).says(t, "nothing to do")
}
