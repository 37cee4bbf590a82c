package pacemaker

import (
	"context"
	"encoding/xml"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// recordedService is a service as it was recorded.
func recordedService(t *testing.T, file, id string) cluster.Service {
	t.Helper()
	primitive := recordedPrimitive(t, file, id)
	service, err := primitive.Service()
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func recordedPrimitive(t *testing.T, file, id string) cib.Primitive {
	t.Helper()
	resources, err := cib.ParseResources([]byte(recorded(t, "resources-"+file)))
	if err != nil {
		t.Fatal(err)
	}
	primitive, ok := resources.Find(id)
	if !ok {
		t.Fatalf("no %s in %s", id, file)
	}
	return primitive
}

// creation is the command that creates a service, for candidates.
func creation(t *testing.T, code int, service cluster.Service, candidates ...string) write {
	t.Helper()
	primitive, err := cib.NewPrimitive(service, candidates)
	if err != nil {
		t.Fatal(err)
	}
	text, err := xml.Marshal(cib.Resources{Primitives: []cib.Primitive{primitive}})
	if err != nil {
		t.Fatal(err)
	}
	return write{line: create, stdin: string(text), code: code}
}

// deletion is the command that deletes a service.
func deletion(id string) write {
	return write{line: `cibadmin --delete-all --force --xpath '//resources/primitive[@id='\''service-` + id + `'\'']'`}
}

// wantAdded compares but for the time it took, which must be something.
func wantAdded(t *testing.T, got []engine.Added, want ...engine.Added) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(engine.Added{}, "Took"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for _, added := range got {
		if added.Took <= 0 {
			t.Errorf("%s took %v", added.ID, added.Took)
		}
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := xml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// forgotten are the commands that forget the failures of a start on all nodes.
func forgotten(id string) []write {
	var writes []write
	for _, node := range []string{"node0", "node1", "node2"} {
		for _, name := range []string{"last-failure", "fail-count"} {
			writes = append(writes, write{line: "attrd_updater --delete --name '" + name + "-service-" + id + "#start_0' --node " + node})
		}
	}
	return writes
}

// within bounds a test that would wait for ever.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
