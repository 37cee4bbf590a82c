package agent

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recordedCounters are what corosync-cmapctl of Corosync 3.1.7 printed on a node of
// three that were idle; its counters of client connections are left out.
func recordedCounters(t *testing.T, name string) counters {
	t.Helper()
	text, err := os.ReadFile("testdata/cmap-" + name + "-3.1.7.txt")
	if err != nil {
		t.Fatal(err)
	}
	return parseCounters(text)
}

func TestVotes(t *testing.T) {
	if diff := cmp.Diff([]string{"node0", "node1", "node2"}, recordedCounters(t, "nodelist").votes()); diff != "" {
		t.Error(diff)
	}
	if votes := parseCounters([]byte("Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n")).votes(); len(votes) > 0 {
		t.Errorf("votes %q", votes)
	}
}

func TestSince(t *testing.T) {
	before, after := recordedCounters(t, "stats"), recordedCounters(t, "stats-later")
	if bytes, again := after.since(before); bytes != 16953 || again != 0 {
		t.Errorf("%d bytes, %d once more", bytes, again)
	}
	// Somebody reset them.
	if bytes, again := before.since(after); bytes != 0 || again != 0 {
		t.Errorf("backwards: %d bytes, %d once more", bytes, again)
	}
	before[retransmits], after[retransmits] = "3", "10"
	if _, again := after.since(before); again != 7 {
		t.Errorf("%d messages once more, want 7", again)
	}
}
