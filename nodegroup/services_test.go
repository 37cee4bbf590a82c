package nodegroup

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// pinned is a service of the recorded cluster.
func pinned(target string) cluster.Service {
	return cluster.Service{ID: "pinned", Target: target, Command: []string{"/bin/sleep", "infinity"},
		Monitor: 10, Failover: true, ForceDaemonize: true}
}

// TestStatusOfOthersNodes: what another operator changed is asked of the provider,
// and a node without a machine is still one that votes.
func TestStatusOfOthersNodes(t *testing.T) {
	f := newFakeCluster(t, 2)
	g := f.open(t)
	signer, _, _, err := g.store.Key("world")
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, finds int, ids ...string) {
		t.Helper()
		f.provider.finds = 0
		status, err := f.open(t).Status(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, node := range status.Nodes {
			got = append(got, strings.TrimSpace(node.ID+" "+string(node.Role)))
		}
		if diff := cmp.Diff(ids, got); diff != "" || f.provider.finds != finds {
			t.Errorf("%s, the provider was asked %d times: %s", what, f.provider.finds, diff)
		}
	}
	const first, second, third = "023456789abcdef full", "123456789abcdef full", "223456789abcdef full"
	want("as it was made", 1, first, second)
	f.size = 3
	want("its machine is gone", 1, first, second, "full")
	f.serve(t, 2, signer.PublicKey())
	want("added", 1, first, second, third)
	want("added, and known", 0, first, second, third)
	f.size = 2
	want("allocated, and not yet in the cluster", 1, first, second, "223456789abcdef")
	f.provider.machines = f.provider.machines[:2]
	want("removed", 1, first, second)
}

func TestServices(t *testing.T) {
	f := newFakeCluster(t, 3)
	services, err := f.open(t).Services(bounded(t))
	if err != nil || len(services) != 2 {
		t.Fatalf("%+v (%v)", services, err)
	}
	if diff := cmp.Diff(pinned("node2"), services[0]); diff != "" {
		t.Error(diff)
	}
}

// TestAddServices names a node as people do, and leaves what it was given alone.
func TestAddServices(t *testing.T) {
	f := newFakeCluster(t, 3)
	wanted := []cluster.Service{pinned("2")}
	started, err := f.open(t).AddServices(bounded(t), wanted)
	if err != nil || len(started) != 1 {
		t.Fatalf("%+v (%v)", started, err)
	}
	started[0].Took = 0
	if diff := cmp.Diff([]Started{{ID: "pinned", Node: "node2", Already: true}}, started); diff != "" {
		t.Error(diff)
	}
	if wanted[0].Target != "2" {
		t.Errorf("the caller's target became %q", wanted[0].Target)
	}
}

func TestAddServicesFaults(t *testing.T) {
	f := newFakeCluster(t, 3)
	bad := cluster.Service{ID: "1a", Target: "any", Command: []string{"a"}}
	for _, test := range []struct {
		name     string
		services []cluster.Service
		want     string
	}{
		{"all at once", []cluster.Service{bad, {ID: "b", Target: "any"}},
			`invalid service "1a": id: "1a" is not a valid id: start with a letter or _, then letters, digits, _ . or -, 128 at most; ` +
				"command: \"a\" is not an absolute path: services do not search PATH\n" +
				`invalid service "b": command: is empty: give the program and its arguments`},
		{"twice", []cluster.Service{pinned("node2"), pinned("node2")}, `invalid service "pinned": id: it is given twice`},
		{"no such node", []cluster.Service{pinned("node9")}, `add service "pinned": node "node9" is not in cluster "world"`},
		{"taken", []cluster.Service{pinned("node1")}, `add service "pinned": the id is taken by a service with another definition`},
	} {
		_, err := f.open(t).AddServices(bounded(t), test.services)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error\n%v\nwant\n%s", test.name, err, test.want)
		}
		var invalid *cluster.InvalidError
		if errors.As(err, &invalid) != strings.HasPrefix(test.want, "invalid") {
			t.Errorf("%s: %v is an InvalidError, or not", test.name, err)
		}
	}
}

func TestMissingServices(t *testing.T) {
	f := newFakeCluster(t, 3)
	const want, hint = `service "none" is not in cluster "world"`, "the services are pinned, run"
	wantError(t, f.open(t).RemoveServices(bounded(t), []string{"none"}), want, hint)
	_, err := f.open(t).RestartServices(bounded(t), []string{"none"})
	wantError(t, err, want, hint)
	wantError(t, f.open(t).Logs(bounded(t), "none", 10, false, &bytes.Buffer{}), want, hint)
}

// TestRunAll has a node that is off, and a command that fails on another.
func TestRunAll(t *testing.T) {
	f := newFakeCluster(t, 3)
	f.servers[2].Close()
	results, err := f.open(t).RunAll(bounded(t), []string{"false"})
	if err != nil || len(results) != 3 {
		t.Fatalf("%+v (%v)", results, err)
	}
	var exit *ExitError
	for i, result := range results {
		if want := []string{"node0", "node1", "node2"}[i]; result.Node != want {
			t.Errorf("%d. is %s, want %s", i, result.Node, want)
		}
	}
	if results[0].Err != nil || string(results[0].Stderr) != "no\n" {
		t.Errorf("%+v", results[0])
	}
	if !errors.As(results[1].Err, &exit) || exit.Code != 7 || string(results[1].Stderr) != "no\n" {
		t.Errorf("%+v", results[1])
	}
	if err := f.hidden(results[2].Err); err == nil || err.Error() != "connect to node2 at ADDR2: connection refused" {
		t.Errorf("error %v", err)
	}
}

func TestRun(t *testing.T) {
	f := newFakeCluster(t, 2)
	var stdout, stderr bytes.Buffer
	g := f.open(t)
	if err := g.Run(bounded(t), "1", []string{"hostname"}, nil, &stdout, &stderr); err != nil || stdout.String() != "node1\n" {
		t.Errorf("%q (%v)", stdout.String(), err)
	}
	var exit *ExitError
	err := g.Run(bounded(t), "node1", []string{"false"}, nil, &stdout, &stderr)
	if !errors.As(err, &exit) || exit.Code != 7 || stderr.String() != "no\n" {
		t.Errorf("%v, standard error %q", err, stderr.String())
	}
	err = g.Run(bounded(t), "node9", []string{"false"}, nil, &stdout, &stderr)
	wantError(t, err, `node "node9" is not in cluster "world"`, "the nodes are node0, node1")
}
