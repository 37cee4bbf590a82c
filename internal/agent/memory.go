package agent

import (
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// turn is the right to hold a monitor of a service.
type turn struct{ file *os.File }

// takeTurn returns the turn to hold the monitor of a service, unless another
// monitor has it, or this is the first one since the invocation of the unit
// began, or since turns were forgotten. Where nothing can be remembered there are no turns: every monitor
// then answers at once, and a death is noticed at the next one.
func takeTurn(dir, id, invocation string) (turn, bool) {
	if os.MkdirAll(dir, 0o755) != nil {
		return turn{}, false
	}
	file, err := os.OpenFile(turnsPath(dir, id), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return turn{}, false
	}
	t := turn{file}
	// The lock goes with the process, however it ends (flock(2)).
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil || !t.seen(invocation) {
		t.end()
		return turn{}, false
	}
	return t, true
}

func turnsPath(dir, id string) string { return filepath.Join(dir, id+".monitored") }

// forgetTurns makes the next monitor of a service a first one. When it fails the
// next one holds, and a transition waits for it.
func forgetTurns(dir, id string) { _ = os.Remove(turnsPath(dir, id)) }

// seen reports whether the invocation was checked before, and remembers it.
func (t turn) seen(invocation string) bool {
	content, err := io.ReadAll(t.file)
	if err != nil {
		return false
	}
	if string(content) == invocation {
		return true
	}
	// When this fails, the next monitor is a first one again.
	if t.file.Truncate(0) == nil {
		_, _ = t.file.WriteAt([]byte(invocation), 0)
	}
	return false
}

func (t turn) end() {
	// What was written is not data to lose: see seen.
	_ = t.file.Close()
}

// started is what the agent remembers of a start: systemd cannot tell what a
// unit runs as exactly as it was told (a daemon-reload reads it back from a
// file, with other quoting).
type started struct{ invocation, digest string }

func (s started) path(dir, id string) string { return filepath.Join(dir, id+".started") }

// remember never fails a start: without the memory, a start of what runs
// already restarts it.
func (s started) remember(dir, id string) {
	if os.MkdirAll(dir, 0o755) == nil {
		_ = os.WriteFile(s.path(dir, id), []byte(s.String()), 0o644)
	}
}

func (s started) is(dir, id string) bool {
	content, err := os.ReadFile(s.path(dir, id))
	return err == nil && string(content) == s.String()
}

func (s started) String() string { return s.invocation + " " + s.digest }
