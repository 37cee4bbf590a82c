package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinesOf(t *testing.T) {
	// As journalctl 252 writes them.
	const entries = `{"__CURSOR":"s=1","MESSAGE":"earlier","_SYSTEMD_INVOCATION_ID":"i0"}
{"MESSAGE":"known","_SYSTEMD_INVOCATION_ID":"i1"}
{"MESSAGE":"of a process that was dead already"}
{"MESSAGE":[97,255,98],"_SYSTEMD_INVOCATION_ID":"i1"}
{"MESSAGE":null}
`
	want := []string{"known", "of a process that was dead already", "a\xffb"}
	if diff := cmp.Diff(want, linesOf([]byte(entries), "i1")); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := linesOf([]byte("no JSON"), "i1"); got != nil {
		t.Errorf("lines %q out of no JSON", got)
	}
}
