package referee

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestRecorded judges what a referee saw in drills without fencing, on
// Corosync 3.1.7 and Pacemaker 2.1.5.
func TestRecorded(t *testing.T) {
	for file, want := range map[string][]string{
		// node4 heard nobody for 10 s, and stopped its services half a second
		// late; then node3's Corosync was killed, and nothing stopped its services.
		"cut-then-corosync-killed.json": {
			"lease-09: node4 and node1 for 0.52 s, at work 0.52 s",
			"lease-04: node4 and node0 for 0.31 s, at work 0.31 s",
			"lease-03: node3 and node4 for 27.31 s, at work 27.31 s",
			"lease-08: node3 and node4 for 26.97 s, at work 26.97 s",
		},
		// node0 was frozen for 9 s and woke up while others did its work.
		"frozen.json": {
			"lease-03: node0 and node2 for 8.18 s, at work 2.58 s",
			"lease-09: node0 and node2 for 8.25 s, at work 2.70 s",
			"lease-00: node0 and node1 for 8.12 s, at work 2.59 s",
			"lease-06: node0 and node1 for 8.13 s, at work 2.59 s",
		},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		var view View
		if err := json.Unmarshal(text, &view); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range view.Doubles() {
			got = append(got, fmt.Sprintf("%s: %s and %s for %.2f s, at work %.2f s",
				d.Older.Service, d.Older.Node, d.Younger.Node, d.Held.Seconds(), d.Beside.Seconds()))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: held twice:\n%q\nnot\n%q", file, got, want)
		}
	}
}
