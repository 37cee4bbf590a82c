package puppet

import (
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

const (
	conf      = "/etc/corosync/corosync.conf"
	cib       = "/var/lib/pacemaker/cib/cib.xml"
	remoteKey = "/etc/pacemaker/authkey"
	recorded  = stateDirectory + "/before/cluster"
)

// TestPrepareRefusesStrangers has hosts that run a cluster which somebody else made,
// also one of the same name, and hosts that do not.
func TestPrepareRefusesStrangers(t *testing.T) {
	for name, test := range map[string]struct {
		active, enabled, file, text, err string
	}{
		"corosync runs":         {active: "corosync", err: "it runs Corosync"},
		"pacemaker runs":        {active: "pacemaker", err: "it runs Pacemaker"},
		"remote runs":           {active: "pacemaker_remote", err: "it runs Pacemaker Remote"},
		"same name runs":        {active: "corosync", file: conf, text: "totem {\n\tcluster_name: world\n}\n", err: "it runs Corosync"},
		"enabled, other name":   {enabled: "corosync", file: conf, text: "totem {\n\tcluster_name: moon\n}\n", err: "it has enabled Corosync"},
		"enabled, same name":    {enabled: "corosync", file: conf, text: "cluster_name: world\n", err: "it has enabled Corosync"},
		"enabled, CIB":          {enabled: "pacemaker", file: cib, text: "<cib/>", err: "it has enabled Pacemaker"},
		"enabled, Debian's key": {enabled: "pacemaker_remote", file: remoteKey, text: "key"},
		"enabled, Debian's":     {enabled: "corosync", file: conf, text: "totem {\n\tcluster_name: debian\n}\n"},
		"enabled, no name":      {enabled: "corosync", file: conf, text: "# mine\n"},
		"enabled, no file":      {enabled: "pacemaker"},
		"not enabled, CIB":      {file: cib, text: "<cib/>"},
		"runs, recorded by us":  {active: "corosync", file: recorded, text: "world\n"},
		"runs, node file":       {active: "pacemaker", file: cluster.NodeFilePath, text: `{"cluster": "world"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScratch(t)
			s.write("/fake/active", test.active+".service\n")
			s.write("/fake/enabled", test.enabled+".service\n")
			if test.file != "" {
				s.write(test.file, test.text)
			}
			err := prepare(t.Context(), s, s.state, testData().Node, false)
			if test.err == "" {
				if err != nil {
					t.Errorf("%v\n%s", err, stderr(err))
				}
				s.is(recorded, "world\n")
				return
			}
			if want := "prepare node0: " + test.err + " for a cluster that is not of sirikata-cluster"; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if hint := cluster.HintOf(err); !strings.Contains(hint, "take the host out of that cluster first") {
				t.Errorf("hint: %q", hint)
			}
			s.exists(stateDirectory, false)
			s.is("/fake/changed", "")
		})
	}
}

// realFlock follows what happens while a script waits for the lock.
const realFlock = "\nPATH=/usr/bin:/bin:/usr/local/bin exec flock \"$@\""

// TestTakenWhileWaiting has another operator take a host while the scripts wait for
// the lock.
func TestTakenWhileWaiting(t *testing.T) {
	for name, run := range map[string]func(scratch) error{
		"prepare": func(s scratch) error { return prepare(t.Context(), s, s.state, testData().Node, false) },
		"restore": func(s scratch) error {
			s.write(recorded, "world\n")
			_, err := restore(t.Context(), s, s.state, "world")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScratch(t)
			s.fake("flock", "mkdir -p '"+s.state+"/before' && echo moon >'"+s.path(recorded)+"'"+realFlock)
			if err := run(s); err == nil || err.Error() != name+` node0: it belongs to cluster "moon"` {
				t.Errorf("got %v", err)
			}
			s.is(recorded, "moon\n")
			s.is("/fake/changed", "")
		})
	}
}

// TestRestoredWhileWaiting has another restore end, and remove the lock, while the
// scripts wait for it.
func TestRestoredWhileWaiting(t *testing.T) {
	waiting := func(t *testing.T) scratch {
		s := newScratch(t)
		s.write(recorded, "world\n")
		s.fake("flock", "if mkdir once 2>/dev/null; then rm -r '"+s.state+"'; fi"+realFlock)
		return s
	}
	t.Run("prepare", func(t *testing.T) {
		s := waiting(t)
		if err := prepare(t.Context(), s, s.state, testData().Node, false); err != nil {
			t.Errorf("%v\n%s", err, stderr(err))
		}
		s.is(recorded, "world\n")
		s.exists(stateDirectory+"/puppet.lock", true)
	})
	t.Run("apply", func(t *testing.T) {
		s := waiting(t)
		if _, err := apply(t.Context(), s.host, s.state, testData(), true); err != nil {
			t.Error(err)
		}
		s.exists(stateDirectory+"/puppet.lock", true)
		s.exists(stateDirectory+"/"+digestFile, true)
	})
	t.Run("restore", func(t *testing.T) {
		s := waiting(t)
		if left, err := restore(t.Context(), s, s.state, "world"); err != nil || len(left) > 0 {
			t.Errorf("left %q, %v", left, err)
		}
		s.exists(stateDirectory, false)
		s.is("/fake/changed", "")
	})
}

// TestInstallPackagesRemovesNothing has apt say which packages would go.
func TestInstallPackagesRemovesNothing(t *testing.T) {
	const unitsFile, ours = stateDirectory + "/before/1/units", stateDirectory + "/before/packages"
	for name, test := range map[string]struct {
		simulated, units, packages string
		unrecorded                 bool
		refused, removed           string
	}{
		"nothing goes":       {simulated: "Inst corosync (3)\nConf corosync (3)\n"},
		"the host's":         {simulated: "Remv heartbeat [3]\nInst corosync (3)\nPurg old [1]\n", refused: "heartbeat old"},
		"ours":               {simulated: "Remv heartbeat [3]\n", packages: "heartbeat n\n", removed: "heartbeat n\n"},
		"half of Pacemaker":  {simulated: "Remv pacemaker [2]\nInst pacemaker-remote (2)\n", units: "pacemaker.service enabled inactive\n", removed: "pacemaker n\n"},
		"a half that ran":    {simulated: "Remv pacemaker [2]\n", units: "pacemaker.service enabled active\n", refused: "pacemaker"},
		"what needs a half":  {simulated: "Remv pacemaker [2]\nRemv crmsh [4]\n", refused: "crmsh"},
		"at the end":         {simulated: "Remv pacemaker-remote [2]\n", packages: "pacemaker-remote n\n", unrecorded: true, refused: "pacemaker-remote"},
		"at the end nothing": {simulated: "Inst pacemaker (2)\n", unrecorded: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScratch(t)
			s.write("/fake/simulated", test.simulated)
			s.write(unitsFile, test.units)
			s.write(ours, test.packages)
			script, err := modules.ReadFile(installer)
			if err != nil {
				t.Fatal(err)
			}
			argv := []string{"sh", "-c", string(script), "install-packages"}
			if test.unrecorded {
				argv = append(argv, "--unrecorded")
			}
			_, err = s.Run(t.Context(), remote.Command{Argv: append(argv, "corosync")})
			if test.refused == "" {
				if err != nil || !strings.Contains(s.read("/fake/changed"), "install corosync\n") {
					t.Errorf("%v; asked for: %s", err, s.read("/fake/changed"))
				}
				s.is(stateDirectory+"/before/removed", test.removed)
				return
			}
			if said := stderr(err); remote.ExitCode(err) != exitRefused || !strings.HasSuffix(said, wouldRemove+": "+test.refused+"\n") {
				t.Errorf("got %v: %s", err, said)
			}
			s.is("/fake/changed", "")
			s.is(ours, test.packages)
		})
	}
}

// TestInstallPackagesPair has a Pacemaker that does not run, but has a
// configuration in the record; and one that had to go before.
func TestInstallPackagesPair(t *testing.T) {
	run := func(s scratch, simulated string) error {
		s.write("/fake/simulated", simulated)
		script, err := modules.ReadFile(installer)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", string(script), "install-packages", "corosync"}})
		return err
	}
	t.Run("configured", func(t *testing.T) {
		s := newScratch(t)
		s.write(cib, "<cib/>")
		if err := prepare(t.Context(), s, s.state, testData().Node, false); err != nil {
			t.Fatal(err)
		}
		if err := run(s, "Remv pacemaker [2]\n"); remote.ExitCode(err) != exitRefused {
			t.Errorf("got %v", err)
		}
	})
	t.Run("there and back", func(t *testing.T) {
		s := newScratch(t)
		s.write(stateDirectory+"/before/1/units", "pacemaker.service enabled inactive\n")
		for _, simulated := range []string{"Remv pacemaker [2]\nInst pacemaker-remote (2)\n", "Remv pacemaker-remote [2]\nInst pacemaker (2)\n"} {
			if err := run(s, simulated); err != nil {
				t.Fatal(err)
			}
		}
		s.is(stateDirectory+"/before/packages", "pacemaker-remote n\n")
	})
}

// TestPrepareRefusedByPackages leaves a host alone for which Puppet's package would
// remove others.
func TestPrepareRefusedByPackages(t *testing.T) {
	s := newScratch(t)
	s.write(stateDirectory+"/before/puppet-is-new", "") // else a fake Puppet is there
	s.write("/fake/simulated", "Remv puppet5 [5]\nInst puppet-agent (7)\n")
	err := prepare(t.Context(), s, s.state, testData().Node, false)
	if err == nil || !strings.HasSuffix(err.Error(), wouldRemove+": puppet5") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	if hint := cluster.HintOf(err); hint != hintWouldRemove {
		t.Errorf("hint: %q", hint)
	}
	s.exists(stateDirectory, false)
	s.is("/fake/changed", "systemctl mask --quiet --runtime puppet.service\nsystemctl unmask --quiet --runtime puppet.service\n")
}
