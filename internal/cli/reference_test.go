package cli

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateReference = flag.Bool("update-reference", false, "write docs/reference.md")

func TestReferenceIsFresh(t *testing.T) {
	const file = "../../docs/reference.md"
	var want bytes.Buffer
	if err := writeReference(&want); err != nil {
		t.Fatal(err)
	}
	if *updateReference {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run make docs", err)
	}
	if diff := cmp.Diff(want.String(), string(have)); diff != "" {
		t.Errorf("docs/reference.md is stale; run make docs (-program +file):\n%s", diff)
	}
}
