package remote_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

func TestQuote(t *testing.T) {
	for _, test := range []struct {
		argv []string
		want string
	}{
		{nil, ``},
		{[]string{"crm_mon", "-1", "--output-as=xml"}, `crm_mon -1 --output-as=xml`},
		{[]string{"/usr/bin/env", "A=b", ""}, `/usr/bin/env A=b ''`},
		{[]string{"echo", "it's", "a b", "$HOME", "~", "*"}, `echo 'it'\''s' 'a b' '$HOME' '~' '*'`},
		{[]string{"echo", "a\nb", "\xff", "é", "#"}, "echo 'a\nb' '\xff' 'é' '#'"},
		{[]string{"A=b", "A=b"}, `'A=b' A=b`},
		{[]string{"if", "if"}, `'if' if`},
		{[]string{""}, `''`},
	} {
		if got := remote.Quote(test.argv); got != test.want {
			t.Errorf("Quote(%q) = %s, want %s", test.argv, got, test.want)
		}
	}
}

// TestQuoteFirstWord lets a shell run programs whose names mean something to it.
func TestQuoteFirstWord(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"if", "case", "while", "for", "A=b", "a b", "~", "it's", "!", "{", "#x", "-x", "done"} {
		program := filepath.Join(dir, name)
		if err := os.WriteFile(program, []byte("#!/bin/sh\necho ran \"$1\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		shell := exec.Command("sh", "-c", remote.Quote([]string{name, "x y"}))
		shell.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		if out, err := shell.CombinedOutput(); err != nil || string(out) != "ran x y\n" {
			t.Errorf("%q: %v: %s", name, err, out)
		}
	}
}

// FuzzQuote sends words through a real shell.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a", "a b", "it's", "'", "''", `\`, `"$x"`, "`id`", "a\nb", "\xff\xfe", "-n", "%s", "a\x01b", "é", "!!", "~root", "*", "A=b"} {
		f.Add(seed, "z")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		words := []string{strings.ReplaceAll(a, "\x00", ""), strings.ReplaceAll(b, "\x00", ""), "end"}
		line := remote.Quote(append([]string{"printf", `%s\0`}, words...))
		out, err := exec.Command("sh", "-c", line).Output()
		if err != nil {
			t.Fatalf("sh -c %q: %v", line, err)
		}
		want := strings.Join(words, "\x00") + "\x00"
		if !bytes.Equal(out, []byte(want)) {
			t.Errorf("sh -c %q printed %q, want %q", line, out, want)
		}
		// Without a shell: a quoted word holds no quote but in the form '\''.
		if quoted := remote.Quote([]string{words[0]}); quoted != words[0] {
			inner := strings.ReplaceAll(quoted[1:len(quoted)-1], `'\''`, "")
			if quoted[0] != '\'' || quoted[len(quoted)-1] != '\'' || strings.Contains(inner, "'") {
				t.Errorf("Quote(%q) = %s", words[0], quoted)
			}
		}
	})
}
