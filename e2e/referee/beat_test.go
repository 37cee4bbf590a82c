package referee

import (
	"strings"
	"testing"
	"time"
)

func TestParseBeat(t *testing.T) {
	want := Beat{Service: "lease-01", Node: "node2", Incarnation: "QWERTZ", Clock: 1234567 * time.Microsecond}
	line := "lease-01 node2 QWERTZ 1234567000"
	if got := want.String(); got != line {
		t.Errorf("it is sent as %q, not %q", got, line)
	}
	if got, err := ParseBeat(line); err != nil || got != want {
		t.Errorf("it is read as %+v (%v), not %+v", got, err, want)
	}
}

func TestNotABeat(t *testing.T) {
	for _, line := range []string{
		"",
		"lease-01 node2 QWERTZ",
		"lease-01 node2 QWERTZ 1 2",
		"lease-01  QWERTZ 1",
		"lease-01 node2 QWERTZ 12345678901234567890123",
		"lease-01 node2 QWERTZ -5",
		"lease-01 node2 QWERTZ 007",
		"lease-01 node2 QWERTZ 1.5",
		"lease-01 no\tde2 QWERTZ 1",
		"lease-01 node2 QWERTZ 5\r",
		"lease/01 node2 QWERTZ 5",
		strings.Repeat("x", 129) + " node2 QWERTZ 5",
	} {
		if got, err := ParseBeat(line); err == nil {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

func FuzzParseBeat(f *testing.F) {
	f.Add("lease-01 node2 QWERTZ 1234567")
	f.Add("a b c 0")
	f.Add("a b c -0")
	f.Fuzz(func(t *testing.T, line string) {
		beat, err := ParseBeat(line)
		if err == nil && (beat.String() != line || beat.Clock < 0 || len(line) > maxLine-1) {
			t.Errorf("%q is read as %+v, which is %q", line, beat, beat)
		}
	})
}
