package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
)

// journalWait bounds the reading of the journal: a death is not reported late
// for the sake of its last words.
const journalWait = 2 * time.Second

// spawnFailed is the MESSAGE_ID of what systemd says when it cannot execute a
// program (sd-messages.h, SD_MESSAGE_SPAWN_FAILED). Its sender, which is the
// process that was to be the program, is dead, often before the journal finds
// out to which unit it belonged.
const spawnFailed = "641257651c1b4ec9a8624d7a40a9e1e7"

// clockSlack is by how much the journal may date a line too early: it takes the
// time at which it woke up, not that at which it read the line.
const clockSlack = time.Second

// journalLines returns the last lines that an invocation of a unit, started at
// the given time, printed; none when the journal does not tell.
//
// They are looked for by unit and time too: of a process that was dead before
// the journal looked at it, the journal knows the unit, but often not the
// invocation (35 % of the daemons that die at once, on a busy machine).
func journalLines(ctx context.Context, unit, invocation string, since time.Time) []string {
	if since.IsZero() {
		return nil
	}
	limit := journalWait
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2) // a start must still clear up
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// Its failure costs at most the last words.
	_ = syncJournal(ctx)
	since = since.Add(-clockSlack)
	// Backwards, because journalctl 252 takes --lines from the front of what
	// --since leaves.
	const micro = 1_000_000
	out, err := exec.CommandContext(ctx, "journalctl", "--quiet", "--all", "--reverse", "--output=json",
		"--output-fields=MESSAGE,_SYSTEMD_INVOCATION_ID", "--lines="+strconv.Itoa(4*keeper.MaxLines),
		fmt.Sprintf("--since=@%d.%06d", since.Unix(), since.UnixMicro()%micro), // systemd.time(7)
		"_SYSTEMD_UNIT="+unit, "+", "MESSAGE_ID="+spawnFailed, "UNIT="+unit).Output()
	if err != nil {
		return nil
	}
	lines := linesOf(out, invocation)
	slices.Reverse(lines)
	return lines
}

// linesOf picks the messages out of what journalctl says, but for those that
// are known to be of another invocation.
func linesOf(entries []byte, invocation string) []string {
	var lines []string
	decoder := json.NewDecoder(bytes.NewReader(entries))
	for {
		var entry struct {
			Message    any    `json:"MESSAGE"`
			Invocation string `json:"_SYSTEMD_INVOCATION_ID"`
		}
		if err := decoder.Decode(&entry); err != nil {
			return lines
		}
		if entry.Invocation != "" && entry.Invocation != invocation {
			continue
		}
		switch message := entry.Message.(type) {
		case string:
			lines = append(lines, message)
		case []any: // bytes that are not UTF-8
			text := make([]byte, 0, len(message))
			for _, number := range message {
				if n, ok := number.(float64); ok {
					text = append(text, byte(n))
				}
			}
			lines = append(lines, string(text))
		}
	}
}

// journalSocket is where the journal takes orders (systemd-journald.service(8));
// journalctl --sync uses it too, but is another program to start.
const journalSocket = "/run/systemd/journal/io.systemd.journal"

// syncJournal lets the journal take in what was printed. It prefers orders to
// what programs print, so an answer to one says only that it runs; before it
// comes to the next it takes what lies there, unless the machine is very busy.
func syncJournal(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", journalSocket)
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	answers := bufio.NewReader(conn)
	for round := 0; round < syncRounds && err == nil; round++ {
		// One message of Varlink, which ends with a NUL.
		if _, err = conn.Write([]byte("{\"method\":\"io.systemd.Journal.Synchronize\"}\x00")); err == nil {
			_, err = answers.ReadBytes(0)
		}
	}
	return errors.Join(err, conn.Close())
}

const syncRounds = 3
