//go:build lab

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// another is an operator with the same store, copied: tests may break it.
func (c *labCluster) another(t *testing.T) operator {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.CopyFS(home, os.DirFS(c.home)); err != nil {
		t.Fatal(err)
	}
	return operator{home: home}
}

func TestNoEngine(t *testing.T) {
	c := shared(t)
	o := c.another(t)
	o.env = []string{"DOCKER_HOST=unix:///nowhere/docker.sock"}
	c.unchanged(t, func() {
		for _, args := range [][]string{
			{"local", "nodes", "boot", c.name}, {"local", "nodes", "terminate", c.name}, {"local", "nodes", "kill", c.name, "node0"},
			{"destroy", c.name}, {"local", "image", "build"}, {"local", "members", "info", c.name},
		} {
			o.run(t, args...).fails(t, 1, "Cannot connect to the Docker daemon").hints(t, "start it", "docker")
		}
	})
	// Services need nodes, not the engine.
	o.run(t, "status", c.name).ok(t)
	o.env = []string{"PATH=/nowhere"}
	o.run(t, "local", "nodes", "boot", c.name).fails(t, 1, "docker", "not installed").hints(t, "apt-get install")
}

// unprivileged runs our program as a user who may do nothing.
func unprivileged(home string) operator {
	return operator{home: home, env: []string{"HOME=" + home}, wrap: []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"}}
}

func TestNoPermission(t *testing.T) {
	c := shared(t)
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	home := filepath.Join(filepath.Dir(lab.program), "nobody")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	nobody := unprivileged(home)
	c.unchanged(t, func() {
		nobody.run(t, "local", "create", c.name, "3").ok(t)
		nobody.run(t, "local", "nodes", "boot", c.name).fails(t, 1, "permission denied", "Docker").hints(t, "group docker")
		// Somebody else's store.
		unprivileged(c.home).run(t, "status", c.name).fails(t, 1, "permission denied").hints(t, "ls -la")
		unprivileged(c.home).run(t, "local", "create", "t-other", "3").fails(t, 1, "permission denied")
	})
}

// TestDiskFull has a store on a full file system.
func TestDiskFull(t *testing.T) {
	c := shared(t)
	home := filepath.Join(t.TempDir(), "full")
	mountSmall(t, home)
	full := operator{home: home}
	full.run(t, "local", "create", c.name, "3").ok(t)
	fill := exec.Command("sh", "-c", `cat /dev/zero >"$1/fill" 2>/dev/null; :`, "sh", home)
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("fill: %v %s", err, out)
	}
	before := storeDigest(t, home)
	c.unchanged(t, func() {
		full.run(t, "local", "create", "t-full", "3").fails(t, 1, "no space left on device", home).hints(t, "df -h")
		full.run(t, "nodes", "boot", c.name).fails(t, 1, "no space left on device").hints(t, "df -h")
	})
	if now := storeDigest(t, home); now != before {
		t.Errorf("it left in the store\n%s\nbefore\n%s", now, before)
	}
	full.run(t, "list").ok(t).says(t, c.name)
	if err := os.Remove(filepath.Join(home, "fill")); err != nil {
		t.Fatal(err)
	}
	full.run(t, "nodes", "boot", c.name).ok(t).says(t, "nothing to do")
}

func mountSmall(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("mount a small file system: %v: %s", err, out)
		}
		t.Skipf("cannot mount a small file system: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// TestNodeDiskFull fills the file system to which Puppet's input goes.
func TestNodeDiskFull(t *testing.T) {
	c := shared(t)
	n := c.node(t, "node1")
	n.sh(t, "mount -t tmpfs -o size=8k tmpfs /var/lib/sirikata-cluster")
	r := c.run(t, "local", "fix", "corosync", c.name)
	n.sh(t, "umount /var/lib/sirikata-cluster")
	r.fails(t, 1, "node1")
	if !strings.Contains(strings.ToLower(r.stderr), "no space left on device") {
		t.Errorf("it does not say why\n%v", r)
	}
	c.run(t, "local", "fix", "corosync", c.name).ok(t)
}

// TestBrokenStore has files of a newer program, and files cut off in the middle.
func TestBrokenStore(t *testing.T) {
	c := shared(t)
	o := c.another(t)
	spec := filepath.Join(o.home, "clusters", c.name, "spec.json")
	whole, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.unchanged(t, func() {
		write(strings.Replace(string(whole), `"format": 1`, `"format": 99`, 1))
		for _, args := range [][]string{{"status", c.name}, {"list"}, {"nodes", "boot", c.name}, {"local", "create", c.name, "3"}} {
			o.run(t, args...).fails(t, 1, spec, "newer version").hints(t, "install the newer version")
		}
		write(string(whole[:len(whole)/2]))
		for _, args := range [][]string{{"status", c.name}, {"list"}, {"nodes", "terminate", c.name}, {"local", "create", c.name, "3"}} {
			o.run(t, args...).fails(t, 1, spec).hints(t, "delete "+spec)
		}
		// What the hint says works: the nodes are found again.
		if err := os.Remove(spec); err != nil {
			t.Fatal(err)
		}
		o.run(t, "local", "create", c.name, "3").ok(t)
		o.run(t, "status", c.name).ok(t).says(t, "node2")
	})
}

// TestCutFiles cuts every other file of the store in the middle: the command
// works, or says which file it is and what to do with it.
func TestCutFiles(t *testing.T) {
	c := shared(t)
	o := c.another(t)
	o.run(t, "node", "trust", c.name, "0").ok(t)
	dir := filepath.Join(o.home, "clusters", c.name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		whole, err := os.ReadFile(path)
		if err != nil || entry.Name() == "spec.json" || len(whole) == 0 {
			continue
		}
		if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"status", c.name}, {"nodes", "boot", c.name}} {
			if r := o.run(t, args...); r.code != 0 {
				r.fails(t, 1, path).hints(t)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
