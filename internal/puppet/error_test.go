package puppet

import (
	"os"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// TestFirstError reads what real Puppet said (TestLabErrors records it).
func TestFirstError(t *testing.T) {
	for recording, want := range map[string]string{
		"no-user": "make /home/sirikata/sirikata: id: ‘nobody-here’: no such user",
		"bad-name": "Evaluation Error: Error while evaluating a Function Call, Class[Sirikata]: parameter 'cluster' " +
			`expects a match for Sirikata::Name = Pattern[/\A[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\z/], got 'not a name' ` +
			"(file: /var/lib/sirikata-cluster/puppet/site.pp, line: 1, column: 1) on node node0",
		"read-only":  "failed to set mode 1777 on /etc/corosync: Read-only file system @ apply2files - /etc/corosync",
		"no-package": "install cluster packages: E: Package 'pacemaker-cli-utils' has no installation candidate",
	} {
		output, err := os.ReadFile("testdata/puppet-7.23-" + recording + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if got := firstError(string(output)); got != want {
			t.Errorf("%s: %q, want %q", recording, got, want)
		}
	}
}

func TestFirstErrorWithoutPuppet(t *testing.T) {
	for output, want := range map[string]string{
		"":                                    "",
		"tar: short\n\nPuppet is missing\n\n": "Puppet is missing",
		"Notice: /Stage[main]/Exec[a]/returns: one\nError: other\n": "other",
	} {
		if got := firstError(output); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
}

func TestErrorHint(t *testing.T) {
	exit := &remote.ExitError{Code: 4, Stderr: []byte("Notice: /Stage[main]/Exec[install]/returns: " + wouldRemove + ": heartbeat\n" +
		"Error: 'sh' returned 69 instead of one of [0]\n")}
	err := newError("node0", exit)
	if err.First != "install: "+wouldRemove+": heartbeat" || err.Hint() != hintWouldRemove {
		t.Errorf("%s: hint %q", err.First, err.Hint())
	}
}
