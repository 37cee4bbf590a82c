package cib_test

import (
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

func testSettings() cib.Settings {
	return cib.Settings{
		Size:    4,
		Winner:  "node0",
		Past:    cluster.Past{Used: 6, Removed: []int{1, 4}},
		Remotes: []cib.RemoteNode{{Name: "node3", Address: "10.0.0.4"}},
		Fence:   &cib.FenceDevice{Agent: "fence_sirikata", Parameters: map[string]string{"url": "http://10.0.0.2:1"}},
	}
}

func TestFragment(t *testing.T) {
	got, err := testSettings().Fragment()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "settings.golden", append(got, 10))
}

// TestLacks: what is there already is not written again, and anything that
// differs is.
func TestLacks(t *testing.T) {
	wanted, err := testSettings().Fragment()
	if err != nil {
		t.Fatal(err)
	}
	whole := string(wanted)
	for _, test := range []struct {
		name string
		have string
		want bool
	}{
		{"nothing", "<configuration/>", true},
		{"all of it, and more", strings.Replace(whole, "<resources>", `<resources><primitive id="service-a"/>`, 1), false},
		{"attributes in another order", strings.Replace(whole, `id="node3" class="ocf"`, `class="ocf" id="node3"`, 1), false},
		{"another address", strings.Replace(whole, "10.0.0.4", "10.0.0.5", 1), true},
		{"no fencing", strings.Replace(whole, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`, 1), true},
	} {
		got, err := cib.Lacks([]byte(test.have), wanted)
		if err != nil || got != test.want {
			t.Errorf("%s: %v (%v)", test.name, got, err)
		}
	}
	if _, err := cib.Lacks([]byte("<configuration>"), wanted); err == nil {
		t.Error("a configuration that is cut off is believed")
	}
}

// TestRemoteStates: crm_mon calls a remote node online while the cluster is
// about to connect to it, dead or not.
func TestRemoteStates(t *testing.T) {
	for name, want := range map[string]string{"remote-connecting": "offline", "remote-lost": "offline"} {
		mon := recordedMon(t, name)
		if got := mon.NodeState("node4"); string(got) != want {
			t.Errorf("%s: node4 is %s, want %s", name, got, want)
		}
		if got := mon.NodeState("node3"); got != "online" {
			t.Errorf("%s: node3 is %s", name, got)
		}
		if role, known := mon.NodeRole("node3"); role != "remote" || !known {
			t.Errorf("%s: node3 is %s (%v)", name, role, known)
		}
		if role, known := mon.NodeRole("node0"); role != "full" || !known {
			t.Errorf("%s: node0 is %s (%v)", name, role, known)
		}
	}
}
