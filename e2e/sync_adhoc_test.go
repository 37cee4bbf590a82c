//go:build lab

package e2e

import (
	"strings"
	"testing"
)

// TestAdHocSync syncs to hosts on which there is nothing of ours, as a user who is
// nobody there.
func TestAdHocSync(t *testing.T) {
	h := newHosts(t)
	for _, name := range []string{"one", "two"} {
		h.host(t, name, "outer")
	}
	op := h.operator("op")
	op.createOf(t, "world", "one", "two").ok(t)
	h.sh(t, "operator", "op", "cd /home/op; mkdir -p build/bin build/lib build/share; cp /bin/sleep build/bin/space; echo 1 >build/share/version")
	path := "/home/" + hostUser + "/my sirikata"
	version := func(host string) string { return h.sh(t, host, hostUser, "cat '"+path+"/share/version'") }

	op.run(t, "sirikata", "package", "build").ok(t).says(t, "packaged sirikata.tar.bz2: 2 files")
	op.run(t, "adhoc", "sync", "sirikata", "world", "sirikata.tar.bz2").ok(t).says(t, "one, two: switched to release")
	if got := h.sh(t, "two", "root", "stat -c '%U %a' '"+path+"/bin/space'"); got != hostUser+" 755" {
		t.Errorf("the program is %q", got)
	}
	h.sh(t, "one", hostUser, "nohup '"+path+"/bin/space' 1000 >/dev/null 2>&1 &")
	h.sh(t, "operator", "op", "echo 2 >/home/op/build/share/version")
	op.run(t, "sync", "sirikata", "world", "build").ok(t).says(t, "one, two: switched to release", "one: process ", "(space) still runs release")
	if version("one") != "2" || version("two") != "2" {
		t.Errorf("versions %q and %q", version("one"), version("two"))
	}
	op.run(t, "sync", "sirikata", "world", "build").ok(t).says(t, "one, two: has release", "already")
	op.run(t, "sync", "sirikata", "world", "--rollback").ok(t).says(t, "one, two: went back")
	if version("one") != "1" || version("two") != "1" {
		t.Errorf("versions %q and %q", version("one"), version("two"))
	}

	// One host is off: the other one is done.
	if _, err := docker("rm", "--force", h.name+"-two"); err != nil {
		t.Fatal(err)
	}
	op.run(t, "sync", "sirikata", "world", "build").fails(t, 4, "two").says(t, "one: switched to release")

	op.run(t, "adhoc", "sync", "files", "world", "one", "local:build", "remote:/home/"+hostUser+"/in here/").ok(t)
	op.run(t, "adhoc", "sync", "files", "world", "one", "remote:/home/"+hostUser+"/in here/build/share", "local:back").ok(t)
	if got := strings.TrimSpace(h.sh(t, "operator", "op", "cat /home/op/back/version")); got != "2" {
		t.Errorf("what came back is version %q", got)
	}
	op.run(t, "sync", "files", "world", "one", "local:build", "remote:/etc/no").fails(t, 1, "one", "/etc/no", "permission denied")
}
