package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestCompareHosts says which host differs in what, and shows nothing that its fence
// agent is given.
func TestCompareHosts(t *testing.T) {
	fence := func(agent, ip, password string) cluster.HostFence {
		return cluster.HostFence{"agent": agent, "ip": ip, "password": password}
	}
	have := cluster.Spec{Name: "world", Size: 4, Capabilities: map[string][]string{"a": {"x"}}, Hosts: []cluster.Host{
		{Name: "a", DNSName: "a", Port: 22, Fence: fence("fence_x", "s3cret.1", "s3cret.2")},
		{Name: "b", DNSName: "b", Fence: fence("fence_x", "s3cret.1", "s3cret.2")},
		{Name: "c", DNSName: "c", Fence: cluster.HostFence{"agent": "fence_x", "plug": "s3cret.4"}},
		{Name: "d", DNSName: "d", Fence: fence("fence_x", "s3cret.1", "s3cret.2")},
	}}
	want := cluster.Spec{Name: "world", Size: 4, Capabilities: map[string][]string{"a": {"y"}}, Hosts: []cluster.Host{
		{Name: "a", DNSName: "a", Fence: fence("fence_y", "s3cret.1", "s3cret.3")},
		{Name: "b", DNSName: "b"},
		{Name: "c", DNSName: "c", Fence: cluster.HostFence{"agent": "fence_x", "port": "s3cret.4"}},
		{Name: "e", DNSName: "e", Fence: fence("fence_x", "s3cret.1", "s3cret.2")},
	}}
	const shown = `{"agent":"fence_x","ip":"…","password":"…"}`
	differences := []string{
		`capabilities: a is ["x"], not ["y"]`,
		`host a: fence: agent is "fence_x", not "fence_y"`,
		`host a: fence: password is another one`,
		`host a: port is 22, not nothing`,
		`host b: fence is ` + shown + `, not nothing`,
		`host c: fence: plug is "…", not nothing`,
		`host c: fence: port is nothing, not "…"`,
		`host d is {"dns_name":"d","fence":` + shown + `,"index":0,"name":"d"}, not nothing`,
		`host e is nothing, not {"dns_name":"e","fence":` + shown + `,"index":0,"name":"e"}`,
	}
	if diff := cmp.Diff(differences, compare(have, want)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if same := compare(have, have); len(same) > 0 {
		t.Errorf("from itself it differs in %q", same)
	}
}
