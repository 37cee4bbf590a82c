package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// parsed is a command line of a command with flags and a COMMAND.
type parsed struct {
	Words, Rest []string
	User        string
	Env         []string
	Off         bool
	Err         string
}

func parse(args string, n int) parsed {
	var p parsed
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.StringVar(&p.User, "user", "", "")
	flags.StringArrayVar(&p.Env, "env", nil, "")
	failover := flags.Bool("failover", true, "")
	var err error
	p.Words, p.Rest, err = splitWords(flags, strings.Fields(args), n)
	if err != nil {
		p.Err = err.Error()
	}
	p.Off = !*failover
	return p
}

func TestSplitWords(t *testing.T) {
	abc := []string{"a", "b", "c"}
	words := func(line string) []string { return strings.Fields(line) }
	for _, test := range []struct {
		line string
		want parsed
	}{
		{"a b c /x", parsed{Words: abc, Rest: words("/x")}},
		{"a b c -- /x", parsed{Words: abc, Rest: words("/x")}},
		{"a b c -- -x", parsed{Words: abc, Rest: words("-x")}},
		{"a b c -- -- x", parsed{Words: abc, Rest: words("-- x")}},
		{"a b c /x --user=y", parsed{Words: abc, Rest: words("/x --user=y")}},
		{"a b c /x -- --user=y", parsed{Words: abc, Rest: words("/x -- --user=y")}},
		{"a b c /x --help -h --unknown", parsed{Words: abc, Rest: words("/x --help -h --unknown")}},
		{"--user=y a b c /x", parsed{Words: abc, Rest: words("/x"), User: "y"}},
		{"a --user y b --failover=false c /x", parsed{Words: abc, Rest: words("/x"), User: "y", Off: true}},
		{"a b c --user y --env=K=V --env L=W=X -- /x --env=M=N", parsed{Words: abc, Rest: words("/x --env=M=N"), User: "y",
			Env: []string{"K=V", "L=W=X"}}},
		{"a b c --env=K=a,b --env=L= /x", parsed{Words: abc, Rest: words("/x"), Env: []string{"K=a,b", "L="}}},
		{"a b c --user -- /x", parsed{Words: abc, Rest: words("/x"), User: "--"}}, // the value of --user
		{"a b", parsed{Words: words("a b")}},
		{"a b --user=y", parsed{Words: words("a b"), User: "y"}},
		{"a b c", parsed{Words: abc}},
		{"a b c --", parsed{Words: abc}},
		{"", parsed{}},
		{"a b c --unknown /x", parsed{Words: abc, Err: "unknown flag: --unknown"}},
		{"a --unknown b c /x", parsed{Words: words("a"), Err: "unknown flag: --unknown"}},
		{"a b c -u /x", parsed{Words: abc, Err: "unknown shorthand flag: 'u' in -u"}},
		{"a b c --failover=perhaps /x", parsed{Words: abc, Off: true,
			Err: `invalid argument "perhaps" for "--failover" flag: strconv.ParseBool: parsing "perhaps": invalid syntax`}},
		{"a b c --user", parsed{Words: abc, Err: "flag needs an argument: --user"}},
	} {
		got := parse(test.line, 3)
		if len(got.Rest) == 0 {
			got.Rest = nil
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.line, diff)
		}
	}
}

// TestSplitWordsKeepsOdd has arguments that strings.Fields cannot make.
func TestSplitWordsKeepsOdd(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	odd := []string{"/x", "", " ", "a b\n", "ä", "--=", "-"}
	words, rest, err := splitWords(flags, append([]string{"a"}, odd...), 1)
	if diff := cmp.Diff(odd, rest); err != nil || diff != "" || len(words) != 1 {
		t.Error(words, err, diff)
	}
	if _, rest, err = splitWords(flags, []string{"a", "--", "", "b"}, 1); err != nil || len(rest) != 2 || rest[0] != "" {
		t.Errorf("%q (%v)", rest, err)
	}
}

func TestParseEnv(t *testing.T) {
	got, err := parseEnv([]string{"K=V", "L=", "M=a=b", "K=last", "N= "})
	want := map[string]string{"K": "last", "L": "", "M": "a=b", "N": " "}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, bad := range []string{"", "K", "=V"} {
		if _, err := parseEnv([]string{"A=B", bad}); err == nil || exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWithin(t *testing.T) {
	err := within(t.Context(), time.Nanosecond, func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if err == nil || err.Error() != "gave up after 1ns" {
		t.Errorf("error %v", err)
	}
	for _, wait := range []time.Duration{0, -time.Second} {
		err := within(t.Context(), wait, func(context.Context) error { return errors.New("it was done") })
		if exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%v: %v", wait, err)
		}
	}
}

// TestConfirm answers on a terminal.
func TestConfirm(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, "yes\n": true, "Y\n": true, "YES\n": true,
		"\n": false, "n\n": false, "yy\n": false, "y n\n": false, "\x04": false,
	} {
		terminal, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := terminal.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		var out, errOut bytes.Buffer
		a := &app{in: tty, out: &out, err: &errOut}
		err = a.confirm(t.Context(), false, "Release all nodes of %q?", "demo")
		if (err == nil) != want || errOut.String() != `Release all nodes of "demo"? [y/N] ` || out.Len() > 0 {
			t.Errorf("%q: %v, asked %q", answer, err, errOut.String())
		}
		if err != nil && (exitCode(t.Context(), err) != exitUsage || cluster.HintOf(err) != "answer y, or give --yes") {
			t.Errorf("%q: %v, hint %q", answer, err, cluster.HintOf(err))
		}
		errOut.Reset()
		if err := a.confirm(t.Context(), true, "Really?"); err != nil || errOut.Len() > 0 {
			t.Errorf("with --yes: %v, asked %q", err, errOut.String())
		}
		_, _ = tty.Close(), terminal.Close()
	}
}

// TestConfirmWithoutTerminal does not ask.
func TestConfirmWithoutTerminal(t *testing.T) {
	var errOut bytes.Buffer
	a := &app{in: strings.NewReader("n\n"), err: &errOut}
	if err := a.confirm(t.Context(), false, "Really?"); err != nil || errOut.Len() > 0 {
		t.Errorf("%v, asked %q", err, errOut.String())
	}
}

func TestShowWord(t *testing.T) {
	for word, want := range map[string]string{
		"a": "a", "--b=c": "--b=c", "ä": "ä", "": `""`, "a b": `"a b"`, "a\n": `"a\n"`, `"`: `"\""`, "$HOME": `"$HOME"`, "it's": `"it's"`,
	} {
		if got := showWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

// TestScope has types of which this program has only one.
func TestScope(t *testing.T) {
	spec := cluster.Spec{Name: "demo", Type: cluster.AdHoc}
	for _, s := range []scope{"", scope(cluster.AdHoc)} {
		if err := s.check(spec); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	err := scope(cluster.Local).check(spec)
	if err == nil || err.Error() != `cluster "demo" is of type adhoc, not local` || exitCode(t.Context(), err) != exitUsage ||
		cluster.HintOf(err) != "use sirikata-cluster adhoc …, or leave the type out" {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
}
