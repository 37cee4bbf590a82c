package puppet

import (
	"reflect"
	"testing"
)

// TestRestoreLeavesPuppetInUse has Puppet that was installed for the cluster, and is
// under a site's master by now, or not.
func TestRestoreLeavesPuppetInUse(t *testing.T) {
	for name, test := range map[string]struct {
		file, enabled, why string
	}{
		"not in use":   {},
		"certificates": {file: "/var/lib/puppet/ssl/certs/host.pem", why: "/var/lib/puppet/ssl has certificates"},
		"enabled":      {enabled: "puppet.service\n", why: "puppet.service is enabled"},
		"interrupted":  {file: stateDirectory + "/before/puppet-is-new", enabled: "puppet.service\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := usedScratch(t)
			s.write("/fake/enabled", test.enabled)
			if test.file != "" {
				s.write(test.file, "")
			}
			left, err := restore(t.Context(), s, s.state, "world")
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr(err))
			}
			s.exists(stateDirectory, false)
			// Of a package that is not Puppet's the directories stay alone.
			s.exists("/var/lib/corosync", true)
			s.exists("/var/lib/corosync/ringid", false)
			s.exists("/etc/sirikata-cluster", false)
			if test.why == "" {
				if len(left) > 0 {
					t.Errorf("left: %q", left)
				}
				s.is("/etc/puppet/puppet.conf", "before us\n")
				s.exists("/var/lib/puppet", false)
				s.is("/fake/installed", "corosync\n")
				return
			}
			if test.file != "" {
				test.why = s.root + test.why
			}
			want := []string{
				"packages puppet-agent ruby: Puppet is used by somebody else: " + test.why,
				s.root + "/etc/puppet: it belongs to package puppet-agent, which stays",
				s.root + "/var/lib/puppet: it belongs to package puppet-agent, which stays",
			}
			if !reflect.DeepEqual(left, want) {
				t.Errorf("left: %q, want %q", left, want)
			}
			s.is("/etc/puppet/puppet.conf", "the site's\n")
			s.is("/var/lib/puppet/state", "the site's\n")
			s.is("/fake/installed", "corosync\npuppet-agent\nruby\n")
		})
	}
}

// usedScratch is prepared, and has Corosync, which is its own, and Puppet, which is
// not.
func usedScratch(t *testing.T) scratch {
	t.Helper()
	s := newScratch(t)
	s.write("/etc/puppet/puppet.conf", "before us\n")
	s.write(stateDirectory+"/before/1/list", s.below("tree /etc/puppet puppet-agent\ntree /var/lib/puppet puppet-agent\n"+
		"tree /var/lib/corosync\ntree /etc/sirikata-cluster\n"))
	s.write(stateDirectory+"/before/cluster", "world\n")
	s.write(stateDirectory+"/before/packages", "puppet-agent n\nruby n\n")
	if _, err := s.Output(t.Context(), "tar", "-cPf", s.state+"/before/1/files.tar", s.path("/etc/puppet")); err != nil {
		t.Fatal(err)
	}
	s.write("/etc/puppet/puppet.conf", "the site's\n")
	s.write("/var/lib/puppet/state", "the site's\n")
	s.write("/var/lib/corosync/ringid", "ours\n")
	s.write("/etc/sirikata-cluster/nodes.json", "ours\n")
	s.write("/fake/installed", "corosync\npuppet-agent\nruby\n")
	s.write("/fake/listed", s.below("corosync: /var/lib/corosync\ncorosync, other: /etc/corosync\n"))
	return s
}
