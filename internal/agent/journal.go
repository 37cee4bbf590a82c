package agent

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
)

// journalWait bounds the reading of the journal: a death is not reported late
// for the sake of its last words, and a start must clear up within its margin.
const journalWait = startMargin / 2

// spawnFailed is the MESSAGE_ID of what systemd says when it cannot execute a
// program (sd-messages.h, SD_MESSAGE_SPAWN_FAILED). Its sender, which is the
// process that was to be the program, is dead, often before the journal finds
// out to which unit it belonged.
const spawnFailed = "641257651c1b4ec9a8624d7a40a9e1e7"

// journalLines returns the last lines that an invocation of a unit printed;
// none when the journal does not tell.
func journalLines(ctx context.Context, invocation string) []string {
	if invocation == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	// The journal takes in what was printed a little later; --sync waits for
	// it. Its failure costs at most the last words.
	_ = exec.CommandContext(ctx, "journalctl", "--sync").Run()
	out, err := exec.CommandContext(ctx, "journalctl", "--quiet", "--output=cat",
		"--lines="+strconv.Itoa(maxLines), "_SYSTEMD_INVOCATION_ID="+invocation,
		"+", "MESSAGE_ID="+spawnFailed, "INVOCATION_ID="+invocation).Output()
	if err != nil {
		return nil
	}
	return strings.Split(string(out), "\n")
}
