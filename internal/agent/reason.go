package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/sirikata/sirikata-cluster/cluster"
)

const (
	maxLines = 3   // of a daemon's last words
	maxWords = 300 // bytes of them
)

// printable makes text fit for one line of at most limit bytes: valid UTF-8,
// control characters and the ones that reorder text gone, runs of blanks one
// blank. What is too long is cut at a character, and says so.
func printable(text string, limit int) string {
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

// ascii puts a ? where a character is not ASCII.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, strings.ReplaceAll(text, "…", "..."))
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

// lastWords joins the last lines of a daemon, or returns "".
func lastWords(lines []string) string {
	var kept []string
	for _, line := range lines {
		if line = printable(line, maxWords); line != "" {
			kept = append(kept, line)
		}
	}
	if len(kept) > maxLines {
		kept = kept[len(kept)-maxLines:]
	}
	return cut(strings.Join(kept, " | "), maxWords)
}

// withLastWords adds to a reason what the daemon printed last.
func withLastWords(reason string, lines []string) string {
	if words := lastWords(lines); words != "" {
		return reason + cluster.LastPrinted + words
	}
	return reason
}

// withFirstWords adds to the reason of a failed start what was printed. Where
// systemd did not get as far as the program, only its own words count, and of
// those the cause: "x.service: Failed at step EXEC spawning /x: Exec format
// error".
func withFirstWords(reason string, state unitState, lines []string) string {
	for _, end := range []ending{state.main, state.control} {
		if end.code != cldExited || systemdStep(end.status) == "" {
			continue
		}
		for _, line := range slices.Backward(lines) {
			if strings.Contains(line, "Failed at step ") {
				return systemdStep(end.status) + ": " + printable(line[strings.LastIndex(line, ": ")+len(": "):], maxWords)
			}
		}
	}
	return withLastWords(reason, lines)
}

// Values of si_code for a child that ended (sigaction(2)), in which systemd
// reports how a process ended (ExecMainCode).
const (
	cldExited = 1
	cldKilled = 2
	cldDumped = 3
)

// ending is how a process ended.
type ending struct {
	code, status int32
	after        time.Duration // it had run for this long; 0 when not known
}

func (e ending) known() bool { return e.code >= cldExited && e.code <= cldDumped }

// String says it for a person: "exited with status 3 after 40ms".
func (e ending) String() string {
	var text string
	switch e.code {
	case cldExited:
		text = fmt.Sprintf("exited with status %d", e.status)
		if step := systemdStep(e.status); step != "" {
			text += " (" + step + ")"
		}
	case cldKilled, cldDumped:
		text = "was killed by signal " + signalName(e.status)
		if e.code == cldDumped {
			text += " and dumped core"
		}
	default:
		return "ended"
	}
	if e.after > 0 && e.after < time.Minute {
		text += " after " + e.after.Round(time.Millisecond).String()
	}
	return text
}

func signalName(number int32) string {
	name := strings.TrimPrefix(unix.SignalName(unix.Signal(number)), "SIG")
	if name == "" {
		return fmt.Sprint(number)
	}
	return fmt.Sprintf("%s (%d)", name, number)
}

// systemdStep says which of systemd's own steps before the program runs ends
// with this status (systemd.exec(5), "Process Exit Codes").
func systemdStep(status int32) string {
	switch status {
	case 200:
		return "systemd could not enter the working directory"
	case 203:
		return "systemd could not execute the binary"
	case 216, 217:
		return "systemd could not become the user"
	case 233:
		return "systemd could not make the runtime directory"
	}
	return ""
}
