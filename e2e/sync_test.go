//go:build lab

package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sirikataPath is where local nodes have releases.
const sirikataPath = "/home/sirikata/sirikata"

// installation is an installed Sirikata on the operator's machine, whose one daemon
// is the sleep of the nodes, under a path that is no good word for a shell.
func installation(t *testing.T, n node) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), `my "installed" siri'kata`)
	for _, name := range []string{"bin", "lib/empty", "share"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := docker("cp", n.container+":/bin/sleep", filepath.Join(dir, "bin", "space")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../bin/space", filepath.Join(dir, "lib", "link")); err != nil {
		t.Fatal(err)
	}
	release(t, dir, "1")
	return dir
}

// release makes another release of an installation.
func release(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "share", "version"), []byte(version+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
}

// sync runs sync sirikata.
func (c *labCluster) sync(t *testing.T, args ...string) result {
	t.Helper()
	return c.run(t, append([]string{"local", "sync", "sirikata", c.name}, args...)...)
}

// wantVersion fails unless all nodes are switched to a version.
func (c *labCluster) wantVersion(t *testing.T, version string, but ...string) {
	t.Helper()
	for _, n := range c.running() {
		got := strings.TrimSpace(n.sh(t, "cat "+sirikataPath+"/share/version"))
		want := version
		if len(but) == 2 && n.name == but[0] {
			want = but[1]
		}
		if got != want {
			t.Errorf("%s is at version %q, not %q", n.name, got, want)
		}
	}
}

// TestSync has one cluster for all that concerns releases; each part goes on from
// where the one before left it.
func TestSync(t *testing.T) {
	c := newCluster(t, 5)
	first := c.node(t, "node0")
	dir := installation(t, first)
	t.Run("directory refused", func(t *testing.T) { syncForeign(t, c, dir) })
	t.Run("first release", func(t *testing.T) {
		c.sync(t, dir).ok(t).says(t, "node0, node1, node2, node3, node4: switched to release")
		c.wantVersion(t, "1")
		if got := first.sh(t, `cd "$1" && stat -c '%U %a' share/version bin/space lib/empty && readlink lib/link current bin`, sirikataPath); !regexp.MustCompile(
			`^sirikata 640\nsirikata 755\nsirikata 755\n\.\./bin/space\n\.releases/[0-9a-f]{64}\ncurrent/bin\n$`).MatchString(got) {
			t.Errorf("the release is\n%s", got)
		}
	})
	t.Run("again", func(t *testing.T) {
		pack := filepath.Join(t.TempDir(), "sirikata.tar.bz2")
		c.run(t, "sirikata", "package", dir, "--output="+pack).ok(t)
		c.sync(t, pack).ok(t).says(t, "has release", "already")
		if r := c.sync(t, pack).ok(t); r.took > 2*time.Second {
			t.Errorf("nothing to do, and it took %v", r.took)
		}
	})
	t.Run("service keeps its release", func(t *testing.T) { syncInUse(t, c, dir) })
	t.Run("rollback", func(t *testing.T) {
		c.sync(t, "--rollback").ok(t).says(t, "went back from release")
		c.wantVersion(t, "4")
		release(t, dir, "6")
		c.sync(t, dir).ok(t)
		c.sync(t, "--rollback").ok(t)
		c.wantVersion(t, "4")
	})
	t.Run("no space on one", func(t *testing.T) { syncNoSpace(t, c, dir) })
	t.Run("cut off", func(t *testing.T) { syncCutOff(t, c, dir) })
	t.Run("files", func(t *testing.T) { syncFilesBothWays(t, c) })
}

// syncForeign has a directory of somebody's where releases are to go.
func syncForeign(t *testing.T, c *labCluster, dir string) {
	n := c.node(t, "node3")
	n.sh(t, `mkdir -p "$1/bin" && echo mine >"$1/bin/own" && echo old >"$1/bin/space"`, sirikataPath)
	c.sync(t, dir, "--in-place").fails(t, 4, "node3", "permission denied", "nothing was changed")
	n.sh(t, `chown -R sirikata: "$1"`, sirikataPath)
	defer n.sh(t, `rm -rf "$1"/* "$1"/.[!.]*`, sirikataPath)
	for _, other := range c.running() { // where --in-place had nothing to keep
		if other.name != n.name {
			other.sh(t, `rm -rf "$1"/*`, sirikataPath)
		}
	}
	c.sync(t, dir).fails(t, 4, "node3", "not empty", "bin").hints(t, "--in-place")
	if got := n.sh(t, `ls -A "$1"; cat "$1/bin/space"`, sirikataPath); got != "bin\nold\n" {
		t.Errorf("the directory has changed:\n%s", got)
	}
	c.sync(t, dir, "--in-place").fails(t, 4, "node0", "holds releases")
	if got := n.sh(t, `cd "$1" && ls -A . bin && cat bin/own share/version && cmp bin/space /bin/sleep`, sirikataPath); got != ".:\nbin\nlib\nshare\n\nbin:\nown\nspace\nmine\n1\n" {
		t.Errorf("after --in-place there is\n%s", got)
	}
	for _, n := range c.running() { // as before, for what follows
		n.sh(t, `rm -rf "$1"/* "$1"/.[!.]*`, sirikataPath)
	}
}

// syncInUse has a service that goes on with its release over four others.
func syncInUse(t *testing.T, c *labCluster, dir string) {
	c.add(t, "space", "node1", foreground(), []string{sirikataPath + "/bin/space", "100000"}).ok(t)
	c.removeAtEnd(t, "space")
	n := c.node(t, "node1")
	exe := func() string {
		return strings.TrimSpace(n.sh(t, asUser+` sirikata -c "readlink /proc/$1/exe"`, n.mainPID(t, "space")))
	}
	before := exe()
	if !strings.HasPrefix(before, sirikataPath+"/.releases/") {
		t.Fatalf("the service runs %s", before)
	}
	if got := n.sh(t, "tr '\\0' ' ' </proc/"+n.mainPID(t, "space")+"/cmdline"); !strings.HasPrefix(got, before+" ") {
		t.Errorf("it was started as %q, not by the path of its release", got)
	}
	for version := 2; version <= 5; version++ {
		release(t, dir, strconv.Itoa(version))
		c.sync(t, dir).ok(t).says(t, `node1: service "space" still runs release`, "local restart service "+c.name+" space")
	}
	if got := exe(); got != before {
		t.Errorf("the service runs %s, not %s", got, before)
	}
	if kept := n.sh(t, "ls "+sirikataPath+"/.releases | grep -cE '^[0-9a-f]{64}$'"); kept != "4\n" {
		t.Errorf("%s releases are kept, not the last three and the one in use", kept)
	}
	c.run(t, "local", "restart", "service", c.name, "space").ok(t)
	after := exe()
	if current := n.sh(t, "readlink -f "+sirikataPath+"/bin/space"); after != strings.TrimSpace(current) || after == before {
		t.Errorf("after the restart it runs %s, and current is %s", after, current)
	}
	if r := c.sync(t, dir).ok(t).says(t, "already"); strings.Contains(r.stdout, "still runs") {
		t.Errorf("nothing runs an old release\n%v", r)
	}
}

// syncNoSpace has one node of five with a small file system.
func syncNoSpace(t *testing.T, c *labCluster, dir string) {
	n := c.node(t, "node4")
	n.sh(t, `mount -t tmpfs -o size=8m tmpfs "$1"`, sirikataPath)
	release(t, dir, "small")
	c.sync(t, dir).ok(t)
	big := filepath.Join(dir, "share", "big")
	noise(t, big, 16<<20)
	defer os.Remove(big)
	release(t, dir, "large")
	r := c.sync(t, dir).fails(t, 4, "node4", "no space").says(t, "node0, node1, node2, node3: switched to release")
	if strings.Contains(r.stderr, "node0:") {
		t.Errorf("another node is named\n%v", r)
	}
	c.wantVersion(t, "large", "node4", "small")
	if got := n.sh(t, `ls -A "$1/.releases" | grep -vE '^[0-9a-f]{64}$'`, sirikataPath); got != "history\nlock\n" {
		t.Errorf("left of it is\n%s", got)
	}
	c.sync(t, "--rollback").ok(t).says(t, "node4: stays at release")
	c.wantVersion(t, "small")
	n.sh(t, `umount "$1"`, sirikataPath)
}

func noise(t *testing.T, file string, size int) {
	t.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content)
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// syncCutOff kills the command in the middle.
func syncCutOff(t *testing.T, c *labCluster, dir string) {
	const size = 160 << 20
	noise(t, filepath.Join(dir, "share", "big"), size)
	release(t, dir, "cut")
	n := c.node(t, "node2")
	before := n.sh(t, "readlink "+sirikataPath+"/current")
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := c.command(ctx, "local", "sync", "sirikata", c.name, dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		out, _ := n.try("cat " + sirikataPath + "/.releases/incoming/* 2>/dev/null | wc -c")
		bytes, _ := strconv.Atoi(strings.TrimSpace(out))
		return bytes
	}
	c.waitFor(t, soon, "a part has come", func() (bool, string) {
		came := count()
		return came > 1<<20, fmt.Sprint(came)
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	c.waitFor(t, soon, "the node has noticed", func() (bool, string) {
		_, runs := n.try("pgrep -f '[s]irikata-node release install'")
		return !runs, ""
	})
	came := count()
	if came >= size {
		t.Fatal("all has come before it was cut")
	}
	if after := n.sh(t, "readlink "+sirikataPath+"/current; ls "+sirikataPath+"/.releases"); !strings.HasPrefix(after, before) || strings.Contains(after, "new\n") {
		t.Errorf("a broken transfer changed something: current was %s now %s", before, after)
	}
	r := c.sync(t, dir).ok(t)
	sent := regexp.MustCompile(`node2: .* sent ([0-9.]+) MB`).FindStringSubmatch(r.stdout)
	if sent == nil {
		t.Fatalf("it does not say what it sent to node2 alone\n%v", r)
	}
	megabytes, _ := strconv.ParseFloat(sent[1], 64)
	if most := float64(size-came)/1e6 + 1; megabytes > most {
		t.Errorf("%v MB were sent, not the %v MB that were missing", megabytes, most)
	}
	c.wantVersion(t, "cut")
	n.sh(t, `cd "$1" && cmp share/big share/big && [ ! -e .releases/incoming ]`, sirikataPath)
}

// syncFilesBothWays copies a tree to a node and back.
func syncFilesBothWays(t *testing.T, c *labCluster) {
	dir := filepath.Join(t.TempDir(), "it's a tree")
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\n"), 0o751); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	n := c.node(t, "node2")
	files := func(args ...string) result {
		t.Helper()
		return c.run(t, append([]string{"local", "sync", "files", c.name}, args...)...)
	}
	files("node2", "local:"+dir, "remote:/root/made/here/").ok(t).says(t, "/root/made/here/it's a tree on node2")
	if got := n.sh(t, `cd "/root/made/here/it's a tree" && stat -c '%n %a' * && readlink link`); got != "empty 750\nlink 777\nrun 751\n/nowhere\n" {
		t.Errorf("the copy is\n%s", got)
	}
	back := filepath.Join(t.TempDir(), "back")
	files("node2", "remote:/root/made/here/it's a tree/", "local:"+back).ok(t)
	if got, err := os.Readlink(filepath.Join(back, "link")); err != nil || got != "/nowhere" {
		t.Errorf("the link is %q (%v)", got, err)
	}
	if info, err := os.Stat(filepath.Join(back, "run")); err != nil || info.Mode().Perm() != 0o751 {
		t.Errorf("the mode is %v (%v)", info, err)
	}
	files("node2", "remote:/root/none", "local:"+back).fails(t, 1, "node2", "/root/none")
	files("node2", "local:"+dir, "remote:/proc/here").fails(t, 1, "node2", "/proc/here")
	files("node2", "local:"+dir, "local:"+back).fails(t, 2, "remote:")
}
