//go:build lab

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// outlets is a device that switches hosts off and on, as one in a rack does.
type outlets struct {
	hosts  *hosts
	server *http.Server
	url    string

	mu       sync.Mutex
	refused  string   // whom it does not obey about
	rebooted []string // in order
}

// newOutlets serves on this machine's address in the hosts' network.
func newOutlets(t *testing.T, h *hosts) *outlets {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(h.gateway(t), "0"))
	if err != nil {
		t.Fatal(err)
	}
	o := &outlets{hosts: h, url: "http://" + listener.Addr().String()}
	o.server = &http.Server{Handler: o, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- o.server.Serve(listener) }()
	t.Cleanup(func() {
		_ = o.server.Close()
		<-done
	})
	return o
}

// ServeHTTP does what ACTION/HOST says.
func (o *outlets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action, host, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	o.mu.Lock()
	defer o.mu.Unlock()
	if host != "" && host == o.refused {
		http.Error(w, "not obeyed", http.StatusForbidden)
		return
	}
	if action != "reboot" {
		return
	}
	o.rebooted = append(o.rebooted, host)
	for _, verb := range []string{"kill", "start"} {
		if _, err := docker(verb, o.hosts.name+"-"+host); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
}

// refuse has it not obey about a host any more; about all again if there is no name.
func (o *outlets) refuse(host string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused = host
}

func (o *outlets) record() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.rebooted)
}

// outletAgent is a fence agent for it (ClusterLabs, Fence Agent API): options
// come on standard input, and 0 is success.
const outletAgent = `#!/bin/sh
while IFS== read -r key value; do
	case $key in action) action=$value ;; url) url=$value ;; plug) plug=$value ;; esac
done
case $action in
metadata)
	cat <<X
<?xml version="1.0"?>
<resource-agent name="fence_outlets"><parameters>
<parameter name="action"><content type="string" default="reboot"/></parameter>
<parameter name="url"><content type="string"/></parameter>
<parameter name="plug"><content type="string"/></parameter>
</parameters><actions><action name="reboot"/><action name="monitor"/><action name="metadata"/></actions></resource-agent>
X
	;;
*) exec curl --silent --show-error --fail --max-time 20 "$url/$action/$plug" ;;
esac
`

// TestAdHocFencing has hosts that a device of the user's switches off.
func TestAdHocFencing(t *testing.T) {
	h := newHosts(t)
	o := newOutlets(t, h)
	w := withFailover{h, h.operator("op")}
	names := []string{"web1", "web2", "web3"}
	args := []string{"--engine=pacemaker"}
	for _, name := range names {
		h.booted(t, name, "outer")
		h.sudoers(t, name, withoutAnyPassword)
		args = append(args, fmt.Sprintf(`{"dns_name": %q, "fence": {"agent": "fence_outlets", "url": %q, "plug": %q}}`, name, o.url, name))
	}
	w.createOf(t, failoverHosts, append(args[:3:3], "web3")...).fails(t, 2, "web3", "nothing would switch it off")
	r := w.createOf(t, failoverHosts, args...).ok(t)
	if strings.Contains(r.stderr, "nothing fences") {
		t.Errorf("it says that nothing fences\n%v", r)
	}
	w.run(t, "adhoc", "nodes", "boot", failoverHosts).fails(t, 1, "web1", "fence_outlets is not installed").hints(t, "fence-agents")
	for _, name := range names {
		h.sh(t, name, "root", "cat >/usr/sbin/fence_outlets <<'END'\n"+outletAgent+"END\nchmod 755 /usr/sbin/fence_outlets")
	}
	o.refuse("web3")
	w.run(t, "adhoc", "nodes", "boot", failoverHosts).ok(t)
	w.until(t, "the status to say that web3 cannot be fenced", func(s cluster.Status) bool {
		return s.Fencing && len(s.Warnings) == 1 && strings.HasPrefix(s.Warnings[0], "what fences web3 does not work: ")
	})
	o.refuse("")
	for _, node := range w.state(t).Nodes {
		if node.Protection != "fencing by fence_outlets" {
			t.Errorf("%s is protected by %q", node.Name, node.Protection)
		}
	}

	w.run(t, "add", "service", failoverHosts, "cache", "any", "--", "/usr/bin/redis-server", "--daemonize", "yes", "--pidfile", "PIDFILE").ok(t)
	first := w.state(t).Services[0].Node
	h.cut(t, first)
	w.until(t, "the service to run elsewhere", func(s cluster.Status) bool {
		return s.Services[0].State == cluster.Running && s.Services[0].Node != first
	})
	if rebooted := o.record(); !slices.Equal(rebooted, []string{first}) {
		t.Errorf("switched off: %v, not %s", rebooted, first)
	}
	w.until(t, first+" to come back", func(s cluster.Status) bool {
		return !slices.ContainsFunc(s.Nodes, func(n cluster.Node) bool { return n.State != cluster.Online })
	})
	w.run(t, "remove", "node", failoverHosts, first).ok(t)
	w.isPlain(t, first)
	if devices := h.sh(t, w.state(t).Nodes[0].Name, "root", "cibadmin --query --scope resources"); strings.Contains(devices, "fencing-"+first) {
		t.Errorf("what fences %s is still there:\n%s", first, devices)
	}
	w.run(t, "adhoc", "nodes", "terminate", failoverHosts).ok(t)
	w.run(t, "adhoc", "destroy", failoverHosts).ok(t)
}
