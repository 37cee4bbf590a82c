package nodegroup

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
	"github.com/sirikata/sirikata-cluster/internal/store"
)

func TestTrust(t *testing.T) {
	f := newFakeCluster(t, 1)
	g := f.open(t)
	fingerprint := ssh.FingerprintSHA256(f.servers[0].HostKey())
	trusted, _, err := g.OfferedKey(bounded(t), "0")
	want := Trusted{Node: "node0", Known: fingerprint, Now: fingerprint}
	if err != nil || trusted != want {
		t.Errorf("%+v (%v), want %+v", trusted, err, want)
	}
	changed := remotetest.NewKey(t)
	f.servers[0].SetHostKeys(changed)
	trusted, key, err := g.OfferedKey(bounded(t), "0")
	want.Now = ssh.FingerprintSHA256(changed.PublicKey())
	if err != nil || trusted != want {
		t.Errorf("%+v (%v), want %+v", trusted, err, want)
	}
	if _, err := f.open(t).Status(bounded(t)); err == nil {
		t.Error("a changed key is accepted")
	}
	if err := g.Trust("node0", key); err != nil {
		t.Fatal(err)
	}
	if _, err := f.open(t).Status(bounded(t)); err != nil {
		t.Errorf("a key that is trusted is refused: %v", err)
	}
	f.provider.machines[0].HostKey, f.provider.machines[0].Name = "", "other"
	if trusted, _, err = g.OfferedKey(bounded(t), "0"); err != nil || trusted.Known != "" {
		t.Errorf("%+v (%v), want no key known", trusted, err)
	}
}

func TestShellArgs(t *testing.T) {
	f := newFakeCluster(t, 1)
	argv, err := f.open(t).ShellArgs(bounded(t), "0")
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(argv, " ")
	for _, want := range []string{"ssh -i " + f.env.Home, "HostKeyAlias=node0", "StrictHostKeyChecking=yes", "-- root@127.0.0.1"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	pins, err := os.ReadFile(store.Open(f.env.Home).KnownHostsFile("world"))
	if err != nil || !strings.HasPrefix(string(pins), "node0 ssh-ed25519 ") {
		t.Errorf("pins %q (%v)", pins, err)
	}
	if diff := cmp.Diff([]string{"node0"}, f.provider.authorized); diff != "" {
		t.Error(diff)
	}
	f.provider.noKeys = true
	if _, err := f.open(t).ShellArgs(bounded(t), "0"); err != nil {
		t.Error(err)
	}
}
