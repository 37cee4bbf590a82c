package remote_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/remote"
	"github.com/sirikata/sirikata-cluster/internal/remote/remotetest"
)

// operator is a person with a home directory, whose ssh is the real one.
type operator struct {
	home string
	ssh  *remote.OpenSSH
	keys *remote.HostKeys
}

// newOperator puts an ssh on the PATH that reads the given configuration, in
// which HOME stands for the home directory: the real one takes the home from the
// user database, whatever HOME says.
func newOperator(t *testing.T, config string) operator {
	t.Helper()
	real, err := exec.LookPath("ssh")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	o := operator{home: t.TempDir(), ssh: &remote.OpenSSH{}}
	for _, dir := range []string{".ssh", "bin"} {
		if err := os.Mkdir(filepath.Join(o.home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", o.home)
	t.Setenv("PATH", filepath.Join(o.home, "bin")+":"+os.Getenv("PATH"))
	o.configure(t, config)
	writeFile(t, filepath.Join(o.home, "bin", "ssh"), "#!/bin/sh\nexec "+real+" -F \"$HOME/.ssh/config\" \"$@\"\n")
	if err := os.Chmod(filepath.Join(o.home, "bin", "ssh"), 0o755); err != nil {
		t.Fatal(err)
	}
	o.keys = remote.NewHostKeys("world", filepath.Join(o.home, "pins"), "")
	return o
}

func (o operator) configure(t *testing.T, config string) {
	t.Helper()
	const files = "Host *\n  UserKnownHostsFile HOME/.ssh/known_hosts\n  GlobalKnownHostsFile none\n  IdentityFile ~/.ssh/id_ed25519\n"
	writeFile(t, filepath.Join(o.home, ".ssh", "config"), strings.ReplaceAll(config+files, "HOME", o.home))
}

// knows writes a line of known_hosts.
func (o operator) knows(t *testing.T, name string, key ssh.PublicKey) {
	t.Helper()
	path := filepath.Join(o.home, ".ssh", "known_hosts")
	before, _ := os.ReadFile(path)
	writeFile(t, path, string(before)+name+" "+string(ssh.MarshalAuthorizedKey(key)))
}

func (o operator) host(addr string) remote.Host {
	return remote.Host{Name: "node2", Addr: addr, User: "bob", OpenSSH: o.ssh}
}

// echo dials a host and runs a command there.
func (o operator) echo(t *testing.T, host remote.Host) error {
	t.Helper()
	client, err := remote.Dial(testContext(t), host, o.keys)
	if err != nil {
		return err
	}
	defer client.Close()
	out, err := client.Output(testContext(t), "echo", "a  b")
	if err == nil && string(out) != "a  b\n" {
		t.Errorf("output %q", out)
	}
	return err
}

func hostPort(t *testing.T, server *remotetest.Server) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// alias is the configuration of a host that is a server.
func alias(t *testing.T, name string, server *remotetest.Server, more string) string {
	host, port := hostPort(t, server)
	return fmt.Sprintf("Host %s\n  HostName %s\n  Port %s\n%s", name, host, port, more)
}

func TestOpenSSHAlias(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	o := newOperator(t, alias(t, "web", server, "  IdentityFile \"HOME/.ssh/%h %n\"\n"))
	server.Authorize(newIdentity(t, filepath.Join(o.home, ".ssh", "127.0.0.1 web")))
	if err := o.echo(t, o.host("web")); err != nil {
		t.Fatal(err)
	}
	if _, pinned := o.keys.Known("node2"); !pinned {
		t.Error("the first contact pins no key")
	}
	args, err := remote.Prompt(testContext(t), o.host("web"), o.keys, filepath.Join(o.home, "pins"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(args[0], append(args[1:], "echo", "prompt")...).CombinedOutput()
	if err != nil || string(out) != "prompt\n" {
		t.Errorf("%q: %v: %s", args, err, out)
	}
	server.SetHostKeys(remotetest.NewKey(t))
	var changed *remote.HostKeyChangedError
	if err := o.echo(t, o.host("web")); !errors.As(err, &changed) || !strings.Contains(cluster.HintOf(err), "node trust world node2") {
		t.Errorf("a changed host key: %v (%s)", err, cluster.HintOf(err))
	}
}

func TestOpenSSHKnownHosts(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	o := newOperator(t, alias(t, "web", server, "")+alias(t, "named", server, "  HostKeyAlias www\n"))
	host, port := hostPort(t, server)
	server.Authorize(newIdentity(t, filepath.Join(o.home, ".ssh", "id_ed25519")))
	o.knows(t, "["+host+"]:"+port, server.HostKey())
	o.knows(t, "www", remotetest.NewKey(t).PublicKey())
	if err := o.echo(t, o.host("web")); err != nil {
		t.Error(err)
	}
	if _, pinned := o.keys.Known("node2"); pinned {
		t.Error("what the user's known_hosts knows is pinned, too")
	}
	if known, err := o.keys.Expected(testContext(t), o.host("web")); err != nil || known == nil || ssh.FingerprintSHA256(known) != ssh.FingerprintSHA256(server.HostKey()) {
		t.Errorf("expected %v (%v)", known, err)
	}
	var changed *remote.HostKeyChangedError
	if err := o.echo(t, o.host("named")); !errors.As(err, &changed) {
		t.Errorf("the alias of a host key is not looked up: %v", err)
	}
	offered, err := remote.FetchHostKey(testContext(t), o.host("web"))
	if err != nil || ssh.FingerprintSHA256(offered) != ssh.FingerprintSHA256(server.HostKey()) {
		t.Errorf("offered %v (%v)", offered, err)
	}
}

func TestOpenSSHAgent(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	o := newOperator(t, alias(t, "web", server, "")+alias(t, "strict", server, "  IdentitiesOnly yes\n")+
		alias(t, "public", server, "  IdentitiesOnly yes\n  IdentityFile HOME/.ssh/agent_key.pub\n"))
	ring := agent.NewKeyring()
	key := newIdentity(t, filepath.Join(o.home, "private"))
	text, err := os.ReadFile(filepath.Join(o.home, "private"))
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	server.Authorize(key)
	writeFile(t, filepath.Join(o.home, ".ssh", "agent_key.pub"), string(ssh.MarshalAuthorizedKey(key)))
	var refused *remote.AuthError
	if err := o.echo(t, o.host("web")); !errors.As(err, &refused) {
		t.Errorf("without an agent: %v", err)
	} else if hint := cluster.HintOf(err); hint != "let a key of yours in: ssh-copy-id bob@web" {
		t.Errorf("hint %q", hint)
	}
	o.ssh.Agent = serveAgent(t, ring)
	if err := o.echo(t, o.host("web")); err != nil {
		t.Error(err)
	}
	if err := o.echo(t, o.host("public")); err != nil {
		t.Errorf("a key of the agent that is configured: %v", err)
	}
	if err := o.echo(t, o.host("strict")); !errors.As(err, &refused) {
		t.Errorf("IdentitiesOnly: %v", err)
	}
	o.ssh.Agent = filepath.Join(o.home, "no-agent")
	if err := o.echo(t, o.host("web")); !errors.As(err, &refused) {
		t.Errorf("an agent that is gone: %v", err)
	}
}

// serveAgent serves keys until the test ends.
func serveAgent(t *testing.T, ring agent.Agent) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return socket
}

func TestOpenSSHLockedKey(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	o := newOperator(t, alias(t, "web", server, ""))
	file := filepath.Join(o.home, ".ssh", "id_ed25519")
	server.Authorize(newIdentity(t, file))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(pem.EncodeToMemory(block)))
	err = o.echo(t, o.host("web"))
	if want := "a key has a passphrase; hand it to the SSH agent: ssh-add " + file; cluster.HintOf(err) != want {
		t.Errorf("%v: hint %q, not %q", err, cluster.HintOf(err), want)
	}
}

func TestOpenSSHJump(t *testing.T) {
	inner := remotetest.Start(t, remotetest.Config{Real: true})
	middle := remotetest.Start(t, remotetest.Config{Forward: true})
	outer := remotetest.Start(t, remotetest.Config{Forward: true})
	host, port := hostPort(t, middle)
	o := newOperator(t, alias(t, "inner", inner, "  ProxyJump carol@"+host+":"+port+"\n")+
		alias(t, "chain", inner, "  ProxyJump outer,carol@"+host+":"+port+"\n")+
		alias(t, "ring", inner, "  ProxyJump ring2\n")+alias(t, "ring2", inner, "  ProxyJump ring\n")+
		alias(t, "outer", outer, "")+"Host closed\n  HostName 127.0.0.1\n  Port 1\n  ProxyJump outer\nHost cmd\n  ProxyCommand nc %h %p\n")
	key := newIdentity(t, filepath.Join(o.home, ".ssh", "id_ed25519"))
	for _, server := range []*remotetest.Server{inner, middle, outer} {
		server.Authorize(key)
	}
	err := o.echo(t, o.host("inner"))
	if err == nil || !strings.Contains(err.Error(), "is in none of your known_hosts") || cluster.HintOf(err) != "log in once, and accept it: ssh -p "+port+" carol@"+host {
		t.Errorf("a jump host that nobody knows: %v (%s)", err, cluster.HintOf(err))
	}
	o.knows(t, "["+host+"]:"+port, middle.HostKey())
	if err := o.echo(t, o.host("inner")); err != nil {
		t.Error(err)
	}
	outerHost, outerPort := hostPort(t, outer)
	o.knows(t, "["+outerHost+"]:"+outerPort, outer.HostKey())
	if err := o.echo(t, o.host("chain")); err != nil {
		t.Error(err)
	}
	for _, server := range []*remotetest.Server{middle, outer} {
		server.Idle()
	}
	if err := o.echo(t, o.host("closed")); !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(err.Error(), "through the jump host outer: ") {
		t.Errorf("behind a jump host: %v", err)
	}
	if err := o.echo(t, o.host("ring")); err == nil || !strings.Contains(err.Error(), "behind itself") {
		t.Errorf("a ring: %v", err)
	}
	if err := o.echo(t, o.host("cmd")); err == nil || cluster.HintOf(err) != "use ProxyJump instead" {
		t.Errorf("a ProxyCommand: %v", err)
	}
	middle.SetHostKeys(remotetest.NewKey(t))
	err = o.echo(t, o.host("inner"))
	if want := "if the change is expected, forget the old key and log in once: ssh-keygen -R '[" + host + "]:" + port + "'; ssh " + host; cluster.HintOf(err) != want {
		t.Errorf("a jump host with another key: %v, hint\n%s, not\n%s", err, cluster.HintOf(err), want)
	}
}

// TestOpenSSHJumpShared reaches many hosts through one connection to their jump
// host, which ends with the last of them.
func TestOpenSSHJumpShared(t *testing.T) {
	inner := remotetest.Start(t, remotetest.Config{Real: true})
	outer := remotetest.Start(t, remotetest.Config{Forward: true})
	o := newOperator(t, alias(t, "outer", outer, "")+alias(t, "inner", inner, "  ProxyJump outer\n"))
	key := newIdentity(t, filepath.Join(o.home, ".ssh", "id_ed25519"))
	inner.Authorize(key)
	outer.Authorize(key)
	host, port := hostPort(t, outer)
	o.knows(t, "["+host+"]:"+port, outer.HostKey())
	clients := make([]*remote.Client, 8)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			var err error
			if clients[i], err = remote.Dial(testContext(t), o.host("inner"), o.keys); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	if n := outer.Connections(); n != 1 {
		t.Errorf("%d connections to the jump host", n)
	}
	for _, client := range clients {
		if _, err := client.Output(testContext(t), "true"); err != nil {
			t.Error(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	waitFor(t, "the connection to the jump host to end", func() bool { return outer.Connections() == 0 })
	// The host is gone: everybody learns it at once.
	outer.Close()
	for range 2 {
		if err := o.echo(t, o.host("inner")); !errors.Is(err, remote.ErrUnreachable) {
			t.Errorf("without the jump host: %v", err)
		}
	}
}

func TestOpenSSHBadConfig(t *testing.T) {
	o := newOperator(t, "Nonsense yes\n")
	err := o.echo(t, o.host("web"))
	if err == nil || !strings.Contains(err.Error(), "Bad configuration option: nonsense") || cluster.HintOf(err) != "see what ssh -G web says" {
		t.Errorf("%v (%s)", err, cluster.HintOf(err))
	}
}

// TestWithoutOpenSSH has no ssh program: the usual files are all that there is.
func TestWithoutOpenSSH(t *testing.T) {
	server := remotetest.Start(t, remotetest.Config{Real: true})
	o := newOperator(t, "")
	t.Setenv("PATH", t.TempDir())
	server.Authorize(newIdentity(t, filepath.Join(o.home, ".ssh", "id_ed25519")))
	host, port := hostPort(t, server)
	o.knows(t, "["+host+"]:"+port, server.HostKey())
	client, err := remote.Dial(testContext(t), o.host(server.Addr), o.keys)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if _, pinned := o.keys.Known("node2"); pinned {
		t.Error("the user's known_hosts was not read")
	}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, err := remote.Dial(ctx, o.host(server.Addr), o.keys); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
