package remote_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// TestHostKeys dials one server that has keys of two types, with everything that
// may be known of it.
func TestHostKeys(t *testing.T) {
	first, second, other := remotetest.NewKey(t), remotetest.NewECDSAKey(t), remotetest.NewKey(t)
	server := remotetest.Start(t, remotetest.Config{HostKeys: []ssh.Signer{first, second}})
	right, also, wrong := first.PublicKey(), second.PublicKey(), other.PublicKey()
	userKnows := func(keys ...ssh.PublicKey) string {
		var text strings.Builder
		text.WriteString("# comment\n" + `old.example.org ssh-dss AAAAB3NzaC1kc3MAAAAA` + "\n")
		for _, key := range keys {
			text.WriteString(knownhosts.Line([]string{server.Addr}, key) + "\n")
		}
		return text.String()
	}
	for name, test := range map[string]struct {
		pin, provider ssh.PublicKey
		user          string
		changedFrom   ssh.PublicKey // nil: let in
		pinnedAfter   ssh.PublicKey
	}{
		"first contact":                   {pinnedAfter: right},
		"first contact, others known":     {user: "other.example.org " + authorized(wrong), pinnedAfter: right},
		"pinned":                          {pin: right, pinnedAfter: right},
		"pinned, other type":              {pin: also, pinnedAfter: also},
		"pinned, changed":                 {pin: wrong, changedFrom: wrong, pinnedAfter: wrong},
		"pin before provider":             {pin: right, provider: wrong, pinnedAfter: right},
		"pin before provider, changed":    {pin: wrong, provider: right, changedFrom: wrong, pinnedAfter: wrong},
		"provider":                        {provider: right},
		"provider, other type":            {provider: also},
		"provider, changed":               {provider: wrong, changedFrom: wrong},
		"provider before user":            {provider: right, user: userKnows(wrong)},
		"provider before user, changed":   {provider: wrong, user: userKnows(right), changedFrom: wrong},
		"user":                            {user: userKnows(right)},
		"user, other type":                {user: userKnows(also)},
		"user, second of two":             {user: userKnows(wrong, right)},
		"user, changed":                   {user: userKnows(wrong), changedFrom: wrong},
		"user trusts an authority":        {user: "@cert-authority * " + authorized(wrong), pinnedAfter: right},
		"pin before user":                 {pin: right, user: userKnows(wrong), pinnedAfter: right},
		"user, wildcard for another port": {user: "127.0.0.* " + authorized(right)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			userFile := filepath.Join(dir, "known_hosts")
			writeFile(t, userFile, test.user)
			keys := remote.NewHostKeys("world", filepath.Join(dir, "pins"), userFile)
			if test.pin != nil {
				if err := keys.Pin("node2", test.pin); err != nil {
					t.Fatal(err)
				}
			}
			host := server.Host("node2")
			host.HostKey = test.provider
			client, err := remote.Dial(testContext(t), host, keys)
			if err == nil {
				_ = client.Close()
			}
			checkChanged(t, err, server, test.changedFrom, right)
			got, ok := keys.Known("node2")
			if ok != (test.pinnedAfter != nil) || ok && !equalKeys(got, test.pinnedAfter) {
				t.Errorf("pinned afterwards: %v", got)
			}
		})
	}
}

// checkChanged checks that err is what a change from one key to the other gives;
// without the former it must be nil.
func checkChanged(t *testing.T, err error, server *remotetest.Server, from, to ssh.PublicKey) {
	t.Helper()
	if from == nil {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var changed *remote.HostKeyChangedError
	if !errors.As(err, &changed) {
		t.Fatalf("error is %v, not a changed host key", err)
	}
	wantText(t, err, server.Addr, fmt.Sprintf("host key of node2 at ADDR has changed: known is %s, offered was %s",
		ssh.FingerprintSHA256(from), ssh.FingerprintSHA256(to)))
	if !equalKeys(changed.OfferedKey, to) || changed.Known != ssh.FingerprintSHA256(from) {
		t.Errorf("fields: %+v", changed)
	}
	if want := "sirikata-cluster node trust world node2"; !strings.HasSuffix(cluster.HintOf(err), want) {
		t.Errorf("hint %q does not end in %q", cluster.HintOf(err), want)
	}
	if remote.Retryable(err) {
		t.Error("a changed key is retryable")
	}
}

// TestFirstContactWithTwo meets two hosts that claim the same name at the same
// time: one of them is not it.
func TestFirstContactWithTwo(t *testing.T) {
	servers := []*remotetest.Server{remotetest.Start(t, remotetest.Config{}), remotetest.Start(t, remotetest.Config{})}
	for range 10 {
		keys := newKeys(t)
		errs := make([]error, len(servers))
		var group sync.WaitGroup
		for i, server := range servers {
			group.Go(func() {
				var client *remote.Client
				if client, errs[i] = remote.Dial(testContext(t), server.Host("node2"), keys); errs[i] == nil {
					_ = client.Close()
				}
			})
		}
		group.Wait()
		in, out := 0, 1
		if errs[0] != nil {
			in, out = 1, 0
		}
		checkChanged(t, errs[in], servers[in], nil, nil)
		checkChanged(t, errs[out], servers[out], servers[in].HostKey(), servers[out].HostKey())
	}
}

func TestTrustAfterChange(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{HostKeys: []ssh.Signer{remotetest.NewECDSAKey(t)}})
	keys, host := newKeys(t), server.Host("node2")
	mustDial(t, host, keys)
	before := server.HostKey()

	// The new key has another type: the server can no longer show the known one.
	server.SetHostKeys(remotetest.NewKey(t))
	_, err := remote.Dial(testContext(t), host, keys)
	checkChanged(t, err, server, before, server.HostKey())

	offered, err := remote.FetchHostKey(testContext(t), remote.Host{Addr: server.Addr})
	if err != nil || !equalKeys(offered, server.HostKey()) {
		t.Fatalf("FetchHostKey: %v, %v", offered, err)
	}
	for range 2 { // it may be repeated
		if err := keys.Pin("node2", offered); err != nil {
			t.Fatal(err)
		}
		mustDial(t, host, keys)
	}
	server.SetHostKeys(remotetest.NewKey(t))
	for range 2 {
		if err := keys.Forget("node2"); err != nil {
			t.Fatal(err)
		}
	}
	mustDial(t, host, keys)
}

func TestRevokedByUser(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	dir := t.TempDir()
	userFile := filepath.Join(dir, "known_hosts")
	writeFile(t, userFile, "@revoked * "+authorized(server.HostKey()))
	keys := remote.NewHostKeys("world", filepath.Join(dir, "pins"), userFile)
	_, err := remote.Dial(testContext(t), server.Host("node2"), keys)
	wantText(t, err, server.Addr, "check host key of node2 at ADDR by "+userFile+": knownhosts: key is revoked")
	if remote.Retryable(err) {
		t.Error("a revoked key is retryable")
	}
}

func TestEnsurePinned(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{})
	right, wrong := server.HostKey(), remotetest.NewKey(t).PublicKey()
	dir := t.TempDir()
	userFile := filepath.Join(dir, "known_hosts")
	writeFile(t, userFile, knownhosts.Line([]string{server.Addr}, right)+"\n")
	keys := remote.NewHostKeys("world", filepath.Join(dir, "pins"), userFile)

	vouched := server.Host("vouched")
	vouched.HostKey = wrong
	elsewhere := remote.Host{Name: "elsewhere", Addr: "192.0.2.1:22"}
	for _, test := range []struct {
		host remote.Host
		want ssh.PublicKey
	}{{vouched, wrong}, {server.Host("known"), right}, {elsewhere, nil}} {
		err := keys.EnsurePinned(test.host)
		got, ok := keys.Known(test.host.Name)
		if (err == nil) != (test.want != nil) || ok != (test.want != nil) || ok && !equalKeys(got, test.want) {
			t.Errorf("%s: error %v, pinned %v", test.host.Name, err, got)
		}
	}
	vouched.HostKey = right // a pin that stands is kept
	if err := keys.EnsurePinned(vouched); err != nil {
		t.Fatal(err)
	}
	if got, _ := keys.Known("vouched"); !equalKeys(got, wrong) {
		t.Error("the pin was replaced")
	}
}

func mustDial(t *testing.T, host remote.Host, keys *remote.HostKeys) {
	t.Helper()
	client, err := remote.Dial(testContext(t), host, keys)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}

func equalKeys(a, b ssh.PublicKey) bool { return string(a.Marshal()) == string(b.Marshal()) }

func authorized(key ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(key)) }

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
