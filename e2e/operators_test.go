//go:build lab

package e2e

import (
	"path/filepath"
	"testing"
)

// TestSecondOperator has only the spec, and an empty store.
func TestSecondOperator(t *testing.T) {
	c := shared(t)
	addSleep(t, c, "theirs", "any")
	n := c.node(t, c.where(t, "theirs"))
	pid := n.mainPID(t, "theirs")
	const key = "sha256sum </etc/corosync/authkey"
	authKey := n.sh(t, key)

	second := operator{home: filepath.Join(t.TempDir(), "second")}
	second.run(t, "status", c.name).fails(t, 5, c.name)
	second.run(t, "local", "create", c.name, "3").ok(t)
	for _, args := range [][]string{
		{"status", c.name, "-o", "json"}, {"list", "services", c.name, "-o", "json"}, {"local", "members", "info", c.name},
	} {
		if ours, their := c.run(t, args...).ok(t), second.run(t, args...).ok(t); ours.stdout != their.stdout {
			t.Errorf("the second operator sees\n%v\nthe first\n%v", their, ours)
		}
	}
	second.run(t, "local", "nodes", "boot", c.name).ok(t).says(t, "nothing to do")
	if now := n.sh(t, key); now != authKey {
		t.Error("the second operator's boot changed the key of the cluster")
	}
	c.removeAtEnd(t, "ours")
	second.run(t, append([]string{"add", "service", c.name, "ours", "any", "--force-daemonize", "--"}, sleeper("ours")...)...).ok(t)
	if s := c.service(t, "ours"); s.State != "running" {
		t.Errorf("the first operator sees %+v", s)
	}
	c.run(t, append([]string{"add", "service", c.name, "ours", "any", "--force-daemonize", "--"}, sleeper("ours")...)...).ok(t).says(t, "already")
	c.run(t, "remove", "service", c.name, "ours").ok(t)
	second.run(t, "service", "status", c.name, "ours").fails(t, 5, "ours")
	// The first one is not locked out, nothing was disturbed.
	c.boot(t).ok(t).says(t, "nothing to do")
	if now := n.mainPID(t, "theirs"); now != pid {
		t.Errorf("a service was restarted: pid %s, now %s", pid, now)
	}
	second.run(t, "remove", "service", c.name, "theirs").ok(t)
	n.dead(t, pid)
}
