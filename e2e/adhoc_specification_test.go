//go:build lab

package e2e

import (
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestAdHocSpecification types the command lines of the older tool's chapter on
// ad-hoc clusters as they stand there.
func TestAdHocSpecification(t *testing.T) {
	const name = "my-adhoc-cluster"
	h := newHosts(t)
	keys := h.sh(t, "operator", "root", "cat /home/op/.ssh/id_ed25519.pub")
	for _, host := range []string{"host1.example.com", "host2.example.com", "host3.example.com"} {
		h.host(t, host, "outer")
		h.sh(t, host, "root", "useradd -m -p '*' -s /bin/bash ewencp; mkdir -m 700 ~ewencp/.ssh; echo '"+keys+"' >~ewencp/.ssh/authorized_keys; "+
			"mkdir -p /disk/scratch /path/to/sirikata /home/user /path/to/non/tmp/work/dir; chown -R ewencp: ~ewencp/.ssh /disk/scratch; "+
			"chown -R "+hostUser+": /path/to/sirikata /home/user /path/to/non")
	}
	op := h.operator("op")
	op.run(t, "adhoc", "create", name, "ewencp", "/home/ewencp/sirikata", "/home/ewencp", "/disk/scratch", "host1.example.com", "host2.example.com",
		`{ "dns_name" : "host3.example.com", "username" : "bob", "sirikata_path" : "/path/to/sirikata", "default_working_path" : "/home/user", "workspace_path" : "/path/to/non/tmp/work/dir", "capabilities" : "redis" }`).ok(t)
	if states := op.states(t, name); states["host1"] != cluster.Online || states["host2"] != cluster.Online || states["host3"] != cluster.Online {
		t.Errorf("%v", states)
	}
	for node, says := range map[string]string{"host1": "ewencp", "1": "ewencp", "host3.example.com": "bob"} {
		op.run(t, "adhoc", "node", "ssh", name, node, "--", "whoami").ok(t).says(t, says)
	}
	h.sh(t, "operator", "op", "mkdir -p ~/sirikata/bin ~/sirikata/lib ~/sirikata/share; printf '#!/bin/sh\\nexec sleep 1000\\n' >~/sirikata/bin/space; chmod 755 ~/sirikata/bin/space")
	op.run(t, "sirikata", "package", "/home/op/sirikata", "--output=/home/op/sirikata.tar.bz2").ok(t)
	op.run(t, "adhoc", "sync", "sirikata", name, "/home/op/sirikata.tar.bz2").ok(t)
	op.run(t, "adhoc", "add", "service", name, "space", "any", "--require=redis", "--force-daemonize", "--", "/path/to/sirikata/bin/space").ok(t).says(t, "runs on host3")
	op.run(t, "adhoc", "destroy", name).fails(t, 1, "it still has services")
	op.run(t, "adhoc", "remove", "service", name, "space").ok(t)
	op.run(t, "adhoc", "destroy", name).ok(t)
}
