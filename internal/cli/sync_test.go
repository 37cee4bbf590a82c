package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/nodegroup"
)

func TestWhatSynced(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for _, test := range []struct {
		node   nodegroup.Synced
		digest string
		want   string
	}{
		{nodegroup.Synced{Release: a, Sent: 12345678}, a, "switched to release aaaaaaaaaaaa, sent 12.3 MB"},
		{nodegroup.Synced{Release: a, Before: b, Sent: 999, Pruned: []string{b}}, a, "switched to release aaaaaaaaaaaa from bbbbbbbbbbbb, sent 999 B; removed bbbbbbbbbbbb"},
		{nodegroup.Synced{Release: a, Before: b}, a, "switched to release aaaaaaaaaaaa from bbbbbbbbbbbb, which was there"},
		{nodegroup.Synced{Release: a, Before: a}, a, "has release aaaaaaaaaaaa already"},
		{nodegroup.Synced{Release: a, Before: b}, "", "went back from release bbbbbbbbbbbb to aaaaaaaaaaaa"},
		{nodegroup.Synced{Release: a, Before: a}, "", "stays at release aaaaaaaaaaaa, to which the others went back"},
	} {
		if got := whatSynced(test.node, test.digest); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_234_567: "1.2 MB", 5e9: "5.0 GB", 7e15: "7000.0 TB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestFileEnd(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]nodegroup.FileEnd{"local:~/x": {Path: home + "/x"}, "local:~": {Path: "~"},
		"local:a:b": {Path: "a:b"}, "remote:/~/x": {OnNode: true, Path: "/~/x"}} {
		if got, err := fileEnd(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
