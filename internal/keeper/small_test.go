package keeper

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseStat(t *testing.T) {
	rest := " 7 42 43 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0"
	for text, want := range map[string]entry{
		"42 (a) S" + rest:              {Identity{42, 12345}, 7, 43},
		"42 (a b) R 1 (c)) D" + rest:   {Identity{42, 12345}, 7, 43},
		"42 (a) Z" + rest:              {},
		"42 (a) X" + rest:              {},
		"42 (a) S 7 42":                {},
		"":                             {},
		"42 (a) S x 42 43" + rest[10:]: {},
	} {
		if got, ok := parseStat(42, []byte(text)); got != want && ok || ok != (want != entry{}) {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) S 7 42 43 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if e, ok := parseStat(42, content); ok && e.PID != 42 {
			t.Errorf("%+v", e)
		}
	})
}

func TestBelow(t *testing.T) {
	tree := table{}
	for pid, parent := range map[int]int{2: 1, 3: 2, 4: 3, 5: 1, 6: 7, 7: 6} {
		tree[pid] = entry{Identity{pid, uint64(100 - pid)}, parent, pid}
	}
	got := tree.below(2)
	if len(got) != 2 || got[0].PID != 4 || got[1].PID != 3 {
		t.Errorf("below 2: %v", got)
	}
	if got := tree.below(99); len(got) != 0 {
		t.Errorf("below 99: %v", got)
	}
}

func TestLastLines(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, test := range []struct {
		text  string
		lines int
		want  string
	}{
		{"", 3, ""}, {"a\nb\nc\n", 2, "b\nc\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\nb\n", 5, "a\nb\n"}, {"a\n", 0, ""},
		{"\n\n\n", 2, "\n\n"}, {"first\n" + long + "\nlast\n", 2, long + "\nlast\n"}, {long, 1, long},
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, end := lastLines(file, test.lines)
		_ = file.Close()
		if string(got) != test.want || end != int64(len(test.text)) {
			t.Errorf("%.20q, %d lines: %.20q to %d", test.text, test.lines, got, end)
		}
	}
}

// TestBoundLog has a log that grew too large while others write to it.
func TestBoundLog(t *testing.T) {
	d := directory{t.TempDir()}
	if err := os.MkdirAll(d.service("s"), dirMode); err != nil {
		t.Fatal(err)
	}
	log, err := d.newLog("s")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	write := func(text string) {
		if _, err := log.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := d.boundLog("s", log, 10); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(name, want string) {
		t.Helper()
		if got, _ := os.ReadFile(d.file("s", name)); string(got) != want {
			t.Errorf("%s holds %q, not %q", name, got, want)
		}
	}
	write("1234567\n")
	wants(logFile, "1234567\n")
	write("abcdefg\n")
	wants(olderLog, "7\nabcdefg\n")
	wants(logFile, "")
	write("next\n")
	wants(logFile, "next\n")
	var out bytes.Buffer
	f := follower{path: d.file("s", logFile), out: &out}
	defer f.close()
	if err := f.begin(d.file("s", olderLog), 2); err != nil || out.String() != "abcdefg\nnext\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
