package agent

import (
	"context"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

const (
	monQuestion   = "crm_mon --one-shot --output-as=xml"
	serviceQuery  = "cibadmin --query --scope resources"
	refillCommand = "cibadmin --modify --scope resources --xml-pipe"
	dcQuestion    = "crmadmin --dc_lookup --quiet"
)

// pacemakerOf answers like Pacemaker of a cluster of node0, node1 and node2, of
// which node1 is offline, and keeps what is written.
func pacemakerOf(t *testing.T, quorum bool, candidates ...string) (tools refiller, written map[string]string) {
	t.Helper()
	primitive, err := cib.NewPrimitive(cluster.Service{ID: "a", Target: cluster.Any, Failover: true, Command: []string{"/bin/a"}}, candidates)
	if err != nil {
		t.Fatal(err)
	}
	resources, err := xml.Marshal(cib.Resources{Primitives: []cib.Primitive{primitive}})
	if err != nil {
		t.Fatal(err)
	}
	with := map[bool]string{true: "true", false: "false"}[quorum]
	answers := map[string]string{
		dcQuestion:   "node2\n",
		serviceQuery: string(resources),
		monQuestion: `<pacemaker-result><summary><current_dc present="true" name="node2" with_quorum="` + with + `"/></summary>` +
			`<nodes><node name="node0" online="true"/><node name="node1" online="false"/><node name="node2" online="true"/></nodes></pacemaker-result>`,
		refillCommand: "",
	}
	written = map[string]string{}
	tools = refiller{
		name: func() (string, error) { return "node2", nil },
		nodes: func() (cluster.NodesFile, error) {
			return cluster.NodesFile{Cluster: "world", Nodes: []cluster.NodeOffer{{Name: "node0"}, {Name: "node1"}, {Name: "node2"}}}, nil
		},
		run: func(_ context.Context, input []byte, argv ...string) ([]byte, error) {
			line := strings.Join(argv, " ")
			answer, known := answers[line]
			if !known {
				return nil, errors.New("unexpected: " + line)
			}
			if line == refillCommand {
				written[line] = string(input)
			}
			return []byte(answer), nil
		},
	}
	return tools, written
}

// TestRefillOnNode writes other candidates instead of the one that is offline.
func TestRefillOnNode(t *testing.T) {
	tools, written := pacemakerOf(t, true, "node1", "node0")
	changed, err := tools.refill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, changed); diff != "" {
		t.Error(diff)
	}
	var change cib.Resources
	if err := xml.Unmarshal([]byte(written[refillCommand]), &change); err != nil {
		t.Fatal(err)
	}
	// The one that is lost stays last, as nobody can take its place.
	if diff := cmp.Diff([]string{"node0", "node2", "node1"}, change.Primitives[0].Candidates()); diff != "" {
		t.Error(diff)
	}
}

// TestRefillNothing leaves everything alone where there is nothing to do, or
// where another node is to do it.
func TestRefillNothing(t *testing.T) {
	full := []string{"node0", "node2", "node1"}
	for _, test := range []struct {
		name       string
		self       string
		quorum     bool
		candidates []string
	}{
		{"nothing is missing", "node2", true, full},
		{"no quorum", "node2", false, full[:1]},
		{"another one decides", "node0", true, full[:1]},
	} {
		tools, written := pacemakerOf(t, test.quorum, test.candidates...)
		tools.name = func() (string, error) { return test.self, nil }
		changed, err := tools.refill(t.Context())
		if err != nil || len(changed) > 0 || len(written) > 0 {
			t.Errorf("%s: changed %v, wrote %v, error %v", test.name, changed, written, err)
		}
	}
}

// TestRefillFails says what failed, and writes nothing.
func TestRefillFails(t *testing.T) {
	broken := errors.New("broken")
	for _, question := range []string{dcQuestion, monQuestion, serviceQuery, refillCommand} {
		tools, _ := pacemakerOf(t, true, "node1", "node0")
		run := tools.run
		tools.run = func(ctx context.Context, input []byte, argv ...string) ([]byte, error) {
			if strings.Join(argv, " ") == question {
				return nil, broken
			}
			return run(ctx, input, argv...)
		}
		if changed, err := tools.refill(t.Context()); !errors.Is(err, broken) || len(changed) > 0 {
			t.Errorf("%s fails: changed %v, error %v", question, changed, err)
		}
	}
}
