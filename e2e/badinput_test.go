//go:build lab

package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unchanged fails the test if do changed the cluster or the store.
func (c *labCluster) unchanged(t *testing.T, do func()) {
	t.Helper()
	version, store := c.configVersion(t), storeDigest(t, c.home)
	do()
	if now := c.configVersion(t); now != version {
		t.Errorf("the configuration of the cluster was changed: version %s, now %s", version, now)
	}
	if now := storeDigest(t, c.home); now != store {
		t.Errorf("the store was changed:\n%s\nbefore:\n%s", now, store)
	}
}

// storeDigest tells whether anything in a store changed. Locks come and go.
func storeDigest(t testing.TB, home string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "lock" {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s %x\n", path, sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestBadWords is every way to name or to say something wrong.
func TestBadWords(t *testing.T) {
	c := shared(t)
	add := func(id, target string, rest ...string) []string {
		return append([]string{"add", "service", c.name, id, target}, rest...)
	}
	long := strings.Repeat("x", 129)
	c.unchanged(t, func() {
		for _, test := range []struct {
			args []string
			code int
			says []string // in the error
			hint string   // empty: need not be one
		}{
			// What does not exist.
			{[]string{"status", "t-none"}, 5, []string{`cluster "t-none"`}, c.name},
			{[]string{"local", "nodes", "boot", "t-none"}, 5, []string{`cluster "t-none"`}, c.name},
			{[]string{"destroy", "t-none"}, 5, []string{`cluster "t-none"`}, ""},
			{add("x", "node9", "/bin/true"), 5, []string{`"node9"`, c.name}, "node0, node1, node2"},
			{add("x", "3", "/bin/true"), 5, []string{`"3"`}, "node0"},
			{[]string{"node", "ssh", c.name, "10.9.9.9", "true"}, 5, []string{`"10.9.9.9"`}, "node0"},
			{[]string{"local", "nodes", "kill", c.name, "nine"}, 5, []string{`"nine"`}, "node0"},
			{[]string{"remove", "service", c.name, "none"}, 5, []string{`service "none"`, c.name}, ""},
			{[]string{"restart", "service", c.name, "none"}, 5, []string{`service "none"`}, ""},
			{[]string{"service", "status", c.name, "none"}, 5, []string{`service "none"`}, ""},
			{[]string{"service", "logs", c.name, "none"}, 5, []string{`service "none"`}, ""},
			// Names and sizes of clusters.
			{[]string{"local", "create", "Upper", "3"}, 2, []string{`"Upper"`, "DNS label"}, ""},
			{[]string{"local", "create", "a_b", "3"}, 2, []string{`"a_b"`, "DNS label"}, ""},
			{[]string{"local", "create", "", "3"}, 2, []string{`""`}, ""},
			{[]string{"local", "create", "../x", "3"}, 2, []string{`"../x"`}, ""},
			{[]string{"local", "create", long, "3"}, 2, []string{"DNS label"}, ""},
			{[]string{"status", "../x"}, 2, []string{`"../x"`}, ""},
			{[]string{"local", "create", "t-size", "0"}, 2, []string{"1 to 240"}, ""},
			{[]string{"local", "create", "t-size", "-1"}, 2, []string{"1 to 240"}, ""},
			{[]string{"local", "create", "t-size", "241"}, 2, []string{"241", "1 to 240"}, ""},
			{[]string{"local", "create", "t-size", "three"}, 2, []string{`"three"`}, ""},
			{[]string{"local", "create", "t-size", "3", "--token-profile=fast"}, 2, []string{`"fast"`, "lan"}, ""},
			{[]string{"local", "create", "t-size", "3", "--token-profile=1"}, 2, []string{`"1"`, "200"}, ""},
			{[]string{"local", "create", c.name, "4"}, 1, []string{c.name, "size is 3, not 4"}, "destroy"},
			// Services.
			{add("9lives", "any", "/bin/true"), 2, []string{`"9lives"`}, ""},
			{add("a b", "any", "/bin/true"), 2, []string{`"a b"`}, ""},
			{add("a/b", "any", "/bin/true"), 2, []string{`"a/b"`}, ""},
			{add("ünï", "any", "/bin/true"), 2, []string{`"ünï"`}, ""},
			{add("", "any", "/bin/true"), 2, []string{`""`}, ""},
			{add(long, "any", "/bin/true"), 2, []string{"128"}, ""},
			{add("x", "any", "bin/true"), 2, []string{`"bin/true"`, "absolute"}, ""},
			{add("x", "any", "redis-server"), 2, []string{`"redis-server"`, "absolute"}, ""},
			{add("x", "any"), 2, []string{"command"}, ""},
			{add("x", "any", "--", ""), 2, []string{"absolute"}, ""},
			{add("x", "any", "--cwd=relative", "/bin/true"), 2, []string{`"relative"`}, ""},
			{add("x", "any", "--user=a b", "/bin/true"), 2, []string{`"a b"`}, ""},
			{add("x", "any", "--env=novalue", "/bin/true"), 2, []string{`"novalue"`}, ""},
			{add("x", "any", "--env=9=x", "/bin/true"), 2, []string{`"9"`}, ""},
			{add("x", "any", "--monitor=-1", "/bin/true"), 2, []string{"-1"}, ""},
			{add("x", "any", "--monitor=often", "/bin/true"), 2, []string{"often"}, "--help"},
			{add("x", "any", "/bin/echo", "\xff"), 2, []string{"UTF-8"}, ""},
			// Flags and words.
			{add("x", "any", "--nice=5", "/bin/true"), 2, []string{"--nice"}, "--help"},
			{[]string{"local", "create", "t-size", "3", "--bogus"}, 2, []string{"--bogus"}, "--help"},
			{[]string{"status", c.name, "-o", "yaml"}, 2, []string{`"yaml"`}, ""},
			{[]string{"status"}, 2, []string{"NAME"}, "--help"},
			{[]string{"status", c.name, "more"}, 2, []string{`"more"`}, "--help"},
			{[]string{"lokal", "create", "t-size", "3"}, 2, []string{`"lokal"`}, ""},
			{[]string{"local", "nodes", "boots", c.name}, 2, []string{`"boots"`}, "boot"},
			{[]string{"add", "service", c.name}, 2, []string{"ID"}, "--help"},
		} {
			r := c.quietly(test.args...).fails(t, test.code, test.says...)
			if test.hint != "" {
				r.hints(t, test.hint)
			}
			if lines := strings.Count(r.stderr, "sirikata-cluster: error: "); lines != 1 {
				t.Errorf("there are %d lines of error\n%v", lines, r)
			}
			if r.stdout != "" && test.code == 2 {
				t.Errorf("it prints to standard output\n%v", r)
			}
		}
	})
}

// TestEveryFaultAtOnce: one try shows all there is to mend.
func TestEveryFaultAtOnce(t *testing.T) {
	c := shared(t)
	c.unchanged(t, func() {
		c.run(t, "add", "service", c.name, "9x", "any", "--cwd=here", "--monitor=-5", "bin/x").
			fails(t, 2, `"9x"`, `"here"`, "-5", `"bin/x"`)
	})
}
