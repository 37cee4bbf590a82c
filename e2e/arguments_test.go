//go:build lab

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// awkward are words that some layer between a person's shell and a process on a
// node might alter.
var awkward = []string{
	"plain", "", "a b  c", " leading and trailing ", "'", "\"", "it's \"quoted\"", "`id`", "$HOME", "${HOME}", "$$", "$(id)",
	"%n", "%%", "%h %i", "\\", "\\n", "\\\\x41", "line one\nline two\n", "\ttab\t", "\r", "ü ñ 漢字 🎉 \u200b", "--", "-x",
	"--user=root", "*", "?", "[a-z]", "~", "#", ";", "|", "&", "<", ">", "&amp;", "<&>", "!", "{a,b}", "a=b", "@", "\x01\x7f",
	"\u2028", strings.Repeat("long ", 2000),
}

func environment() []string {
	return []string{"SPACES= a  b ", "QUOTES='\"`", "DOLLAR=$HOME ${HOME} $$", "PERCENT=%n %% %h", "LINES=one\ntwo\n\tthree",
		"BACKSLASH=\\n\\\\", "UNICODE=ü 漢字 🎉", "EMPTY=", "EQUALS=a=b=c"}
}

// TestArguments reads argument vector and environment of the process from the
// kernel.
func TestArguments(t *testing.T) {
	c := shared(t)
	command := append([]string{"/usr/bin/perl", "-e", "sleep", "MARK"}, awkward...)
	flags := foreground()
	for _, pair := range environment() {
		flags = append(flags, "--env="+pair)
	}
	c.add(t, "args", "node1", flags, command).ok(t)
	n := c.node(t, "node1")
	c.checkProcess(t, n, "args", command)

	// systemd then reads the unit from its file, where much has to be quoted.
	pid := n.mainPID(t, "args")
	n.sh(t, "systemctl daemon-reload")
	if now := n.mainPID(t, "args"); now != pid {
		t.Errorf("after daemon-reload its process is %s, before it was %s", now, pid)
	}
	n.sh(t, `kill -KILL "$1"`, pid)
	c.waitRestarted(t, n, "args", pid)
	c.checkProcess(t, n, "args", command)

	n.sh(t, "systemctl daemon-reload")
	c.run(t, "restart", "service", c.name, "args").ok(t)
	c.checkProcess(t, n, "args", command)
	list := decode[[]struct {
		ID      string
		Command []string
	}](t, c.run(t, "list", "services", c.name, "-o", "json").ok(t))
	for _, s := range list {
		if s.ID == "args" && !slices.Equal(s.Command, command) {
			t.Errorf("list services gives back %q", s.Command)
		}
	}
}

// checkProcess compares what the process of a service got with what it should.
func (c *labCluster) checkProcess(t *testing.T, n node, id string, command []string) {
	t.Helper()
	pid := n.mainPID(t, id)
	// NUL-separated; the last one ends with a NUL, too.
	argv := strings.Split(strings.TrimSuffix(n.sh(t, `cat "/proc/$1/cmdline"`, pid), "\x00"), "\x00")
	if len(argv) != len(command) {
		t.Errorf("it has %d arguments, not %d: %.2000q", len(argv), len(command), argv)
	}
	for i := range min(len(argv), len(command)) {
		if argv[i] != command[i] {
			t.Errorf("argument %d is %.200q, not %.200q", i, argv[i], command[i])
		}
	}
	raw := n.sh(t, asUser+` sirikata -c 'cat "/proc/$0/environ"' "$1"`, pid)
	env := strings.Split(strings.TrimSuffix(raw, "\x00"), "\x00")
	for _, pair := range environment() {
		if !slices.Contains(env, pair) {
			t.Errorf("its environment lacks %q: %q", pair, env)
		}
	}
}

func TestPIDFILEAndFQDN(t *testing.T) {
	c := shared(t)
	command := []string{"/usr/bin/perl", "-e", "sleep", "--", "--pid=PIDFILE", "http://FQDN:80/FQDN", "PIDFILE"}
	c.add(t, "words", "any", foreground(), command).ok(t)
	at := c.where(t, "words")
	n := c.node(t, at)
	pidFile := "/run/sirikata/words/words.pid"
	address := c.address(t, at)
	want := []string{"/usr/bin/perl", "-e", "sleep", "--", "--pid=" + pidFile, "http://" + address + ":80/" + address, pidFile}
	argv := strings.Split(strings.TrimSuffix(n.sh(t, `cat "/proc/$1/cmdline"`, n.mainPID(t, "words")), "\x00"), "\x00")
	if !slices.Equal(argv, want) {
		t.Errorf("its arguments are %q, not %q", argv, want)
	}
	// The service can write its pid file: it owns the directory.
	n.sh(t, asUser+` sirikata -c 'touch "$0"' "$1"`, pidFile)
}

// address is the address of a node.
func (c *labCluster) address(t testing.TB, name string) string {
	t.Helper()
	for _, n := range c.status(t).Nodes {
		if n.Name == name {
			return n.Address
		}
	}
	t.Fatalf("status does not know node %q", name)
	return ""
}

// TestCommandEndsFlags has flags of the user's command that look like ours, and
// no -- before it.
func TestCommandEndsFlags(t *testing.T) {
	c := shared(t)
	c.removeAtEnd(t, "flags")
	c.run(t, "add", "service", c.name, "flags", "any", "--force-daemonize",
		"/usr/bin/perl", "-e", "sleep", "x", "--user=root", "-o", "json", "--help", "--").ok(t)
	n := c.node(t, c.where(t, "flags"))
	want := "/usr/bin/perl\x00-e\x00sleep\x00x\x00--user=root\x00-o\x00json\x00--help\x00--\x00"
	if argv := n.sh(t, `cat "/proc/$1/cmdline"`, n.mainPID(t, "flags")); argv != want {
		t.Errorf("its arguments are %q, not %q", argv, want)
	}
}
