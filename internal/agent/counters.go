package agent

import (
	"bufio"
	"bytes"
	"context"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"time"
)

// counters are keys and values of Corosync (cmap_keys(7)), as text.
type counters map[string]string

// askTimeout is for how long Corosync is waited for. One that hangs must not
// hold whoever asks for the load.
const askTimeout = time.Second

// askCorosync runs corosync-cmapctl(8). Where Corosync does not run, or does not
// answer, there are no counters.
func askCorosync(ctx context.Context, args ...string) counters {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "corosync-cmapctl", args...).Output()
	if err != nil {
		return nil
	}
	return parseCounters(out)
}

// parseCounters reads lines "KEY (TYPE) = VALUE".
func parseCounters(text []byte) counters {
	found := counters{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		left, value, ok := strings.Cut(lines.Text(), " = ")
		key, _, typed := strings.Cut(left, " (")
		if ok && typed {
			found[key] = value
		}
	}
	return found
}

// votes are the names of the nodes in the nodelist, as it is in force, in order.
func (c counters) votes() []string {
	names := []string{}
	for key, name := range c {
		// nodelist.node.POSITION.name
		if strings.HasPrefix(key, "nodelist.node.") && strings.HasSuffix(key, ".name") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// retransmits counts the messages that this node sent once more.
const retransmits = "stats.srp.mcast_retx"

// since says how many bytes went over all links, both ways, and how many messages
// were sent once more, since other counters were read. The counters of a link
// begin anew with the link.
func (c counters) since(before counters) (bytes, again uint64) {
	for key := range c {
		link := strings.HasPrefix(key, "stats.knet.") && strings.Contains(key, ".link")
		if link && (strings.HasSuffix(key, ".tx_total_bytes") || strings.HasSuffix(key, ".rx_total_bytes")) {
			bytes += c.grown(before, key)
		}
	}
	return bytes, c.grown(before, retransmits)
}

// grown is by how much a counter grew; 0 for one that began anew, or is none.
func (c counters) grown(before counters, key string) uint64 {
	now, err := strconv.ParseUint(c[key], 10, 64)
	was, errBefore := strconv.ParseUint(before[key], 10, 64)
	if err != nil || errBefore != nil || now < was {
		return 0
	}
	return now - was
}
