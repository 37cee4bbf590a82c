package keeper

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Limits of what is told of a daemon's last words.
const (
	MaxLines = 3
	MaxWords = 300 // bytes
)

// Printable makes text fit for one line of at most limit bytes: valid UTF-8,
// control characters and the ones that reorder text gone, runs of blanks one
// blank. What is too long is cut at a character, and says so.
func Printable(text string, limit int) string {
	var b strings.Builder
	blank := false
	for _, r := range text {
		if unicode.IsSpace(r) {
			blank = true
			continue
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			continue
		}
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		b.WriteRune(r)
	}
	return cut(b.String(), limit)
}

func cut(text string, limit int) string {
	const mark = "…"
	if len(text) <= limit {
		return text
	}
	end := max(limit-len(mark), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRight(text[:end], " ") + mark
}

// LastWords joins the last lines of a daemon, or returns "".
func LastWords(lines []string) string {
	var kept []string
	for _, line := range lines {
		if line = Printable(line, MaxWords); line != "" {
			kept = append(kept, line)
		}
	}
	if len(kept) > MaxLines {
		kept = kept[len(kept)-MaxLines:]
	}
	return cut(strings.Join(kept, " | "), MaxWords)
}

// WithLastWords adds to a reason what the daemon printed last.
func WithLastWords(reason string, lines []string) string {
	if words := LastWords(lines); words != "" {
		return reason + cluster.LastPrinted + words
	}
	return reason
}

// Ending is how a process ended.
type Ending struct {
	Status int           `json:"status"`           // its exit status, unless a signal ended it
	Signal int           `json:"signal,omitempty"` // 0 if none did
	Core   bool          `json:"core,omitempty"`
	After  time.Duration `json:"after"`          // it had run for this long; 0 when not known
	Note   string        `json:"note,omitempty"` // what the status means
}

// String says it for a person: "exited with status 3 after 40ms".
func (e Ending) String() string {
	var text string
	switch {
	case e.Signal != 0:
		text = "was killed by signal " + signalName(e.Signal)
		if e.Core {
			text += " and dumped core"
		}
	default:
		text = fmt.Sprintf("exited with status %d", e.Status)
		if e.Note != "" {
			text += " (" + e.Note + ")"
		}
	}
	if e.After > 0 && e.After < time.Minute {
		text += " after " + e.After.Round(time.Millisecond).String()
	}
	return text
}

func signalName(number int) string {
	name := strings.TrimPrefix(unix.SignalName(unix.Signal(number)), "SIG")
	if name == "" {
		return fmt.Sprint(number)
	}
	return fmt.Sprintf("%s (%d)", name, number)
}
