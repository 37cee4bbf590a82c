package agent

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// ascii puts a ? where a character is not ASCII.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, strings.ReplaceAll(text, "…", "..."))
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
				return systemdStep(end.status) + ": " + keeper.Printable(line[strings.LastIndex(line, ": ")+len(": "):], keeper.MaxWords)
			}
		}
	}
	return keeper.WithLastWords(reason, lines)
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
	if !e.known() {
		return "ended"
	}
	how := keeper.Ending{Status: int(e.status), After: e.after}
	if e.code != cldExited {
		how.Signal, how.Status, how.Core = int(e.status), 0, e.code == cldDumped
		return how.String()
	}
	if step := systemdStep(e.status); step != "" {
		how.Note = step
	}
	return how.String()
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
