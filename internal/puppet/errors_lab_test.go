//go:build lab

package puppet

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// TestLabErrors makes real Puppet fail. With -update it records what Puppet
// says, for the tests that have no Puppet.
func TestLabErrors(t *testing.T) {
	node := labNode(t)
	for _, test := range []struct {
		recording string
		prepare   string
		bend      func(*Data)
		want      string
	}{
		{"no-user", "true", func(d *Data) { d.Node.ServiceUser = "nobody-here" }, "no such user"},
		{"bad-name", "true", func(d *Data) { d.Node.Cluster = "not a name" }, "'cluster'"},
		{"read-only", "mount -t tmpfs -o ro tmpfs /etc/corosync", func(*Data) {}, "/etc/corosync"},
		{"no-package", "umount /etc/corosync; dpkg --force-depends --purge pacemaker-cli-utils >&2; " +
			"rm -rf /var/lib/apt/lists/*; echo >/etc/apt/sources.list", func(*Data) {}, "pacemaker-cli-utils"},
	} {
		output(t, node, test.prepare)
		data := testData()
		test.bend(&data)
		_, err := Apply(t.Context(), node, data, false)
		var failed *Error
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v", test.recording, err)
			continue
		}
		t.Log(err)
		if !strings.Contains(failed.First, test.want) {
			t.Errorf("%s: %q does not say %q in\n%s", test.recording, failed.First, test.want, failed.Exit.Stderr)
		}
		if digest := output(t, node, "cat /var/lib/sirikata-cluster/puppet.digest 2>/dev/null || true"); digest != "" {
			t.Errorf("%s: counts as applied", test.recording)
		}
		if *update {
			if err := os.WriteFile("testdata/puppet-7.23-"+test.recording+".txt", failed.Exit.Stderr, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
