package agent

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// journalWait bounds the reading of the journal: a death is not reported late
// for the sake of its last words.
const journalWait = time.Second

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
		"--lines="+strconv.Itoa(maxLines), "_SYSTEMD_INVOCATION_ID="+invocation).Output()
	if err != nil {
		return nil
	}
	return strings.Split(string(out), "\n")
}
