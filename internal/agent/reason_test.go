package agent

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

func TestEnding(t *testing.T) {
	tests := []struct {
		ending ending
		want   string
	}{
		{ending{cldExited, 1, 40 * time.Millisecond}, "exited with status 1 after 40ms"},
		{ending{cldExited, 0, 2 * time.Hour}, "exited with status 0"},
		{ending{cldExited, 203, 0}, "exited with status 203 (systemd could not execute the binary)"},
		{ending{cldKilled, 9, 0}, "was killed by signal KILL (9)"},
		{ending{cldDumped, 11, time.Millisecond}, "was killed by signal SEGV (11) and dumped core after 1ms"},
		{ending{cldKilled, 200, 0}, "was killed by signal 200"},
		{ending{}, "ended"},
	}
	for _, test := range tests {
		if got := test.ending.String(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.ending, got, test.want)
		}
	}
}

func TestLastWords(t *testing.T) {
	long := strings.Repeat("ä", 400)
	tests := []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"", " \t", "\x00"}, ""},
		{[]string{"bind: Address already in use", ""}, "bind: Address already in use"},
		{[]string{"1", "2", "3", "4"}, "2 | 3 | 4"},
		{[]string{"\x1b[31mred\x1b[0m\r\n", "a\xffb", "c\u202ed"}, "[31mred[0m | ab | cd"},
		{[]string{long}, strings.Repeat("ä", (keeper.MaxWords-len("…"))/2) + "…"},
	}
	for _, test := range tests {
		if got := keeper.LastWords(test.lines); got != test.want {
			t.Errorf("LastWords(%q) = %q, want %q", test.lines, got, test.want)
		}
	}
}

func TestFirstWords(t *testing.T) {
	const spawn = "sirikata-x.service: Failed at step EXEC spawning /x: Exec format error"
	notExecuted := unitState{main: ending{code: cldExited, status: 203}}
	tests := []struct {
		state unitState
		lines []string
		want  string
	}{
		{notExecuted, []string{"Failed to execute", spawn, ""}, "systemd could not execute the binary: Exec format error"},
		{unitState{control: notExecuted.main}, []string{spawn}, "systemd could not execute the binary: Exec format error"},
		{notExecuted, []string{"a program that itself exits with 203"}, "why; it last printed: a program that itself exits with 203"},
		{unitState{main: ending{code: cldExited, status: 1}}, []string{spawn}, "why; it last printed: " + spawn},
	}
	for _, test := range tests {
		if got := withFirstWords("why", test.state, test.lines); got != test.want {
			t.Errorf("withFirstWords(%q) = %q, want %q", test.lines, got, test.want)
		}
	}
}

func FuzzLastWords(f *testing.F) {
	f.Add("one\ntwo\nthree\nfour", 3)
	f.Add("\x1b[1m\xff\xfe "+strings.Repeat("€", 200), 300)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = max(limit%1000, len("…"))
		for _, got := range []string{keeper.LastWords(strings.Split(text, "\n")), keeper.Printable(text, limit)} {
			if !utf8.ValidString(got) {
				t.Errorf("%q is not UTF-8", got)
			}
			if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q holds a character that does not print", got)
			}
		}
		if got := keeper.LastWords(strings.Split(text, "\n")); len(got) > keeper.MaxWords || strings.Count(got, " | ") > strings.Count(text, " | ")+keeper.MaxLines-1 {
			t.Errorf("too much: %q", got)
		}
		if got := keeper.Printable(text, limit); len(got) > limit {
			t.Errorf("Printable(%q, %d) has %d bytes", text, limit, len(got))
		}
	})
}
