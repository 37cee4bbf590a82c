package cib_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// ignoreNames passes over the names that encoding/xml notes where it read an element.
var ignoreNames = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() == reflect.TypeFor[xml.Name]() }, cmp.Ignore())

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it); got:\n%s", file, got)
	}
}

// recorded is what Pacemaker 2.1.5 said.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + "-2.1.5.xml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func recordedMon(t testing.TB, name string) cib.Mon {
	t.Helper()
	mon, err := cib.ParseMon(recorded(t, "mon-"+name))
	if err != nil {
		t.Fatal(err)
	}
	return mon
}

func recordedResources(t testing.TB, name string) cib.Resources {
	t.Helper()
	resources, err := cib.ParseResources(recorded(t, "resources-"+name))
	if err != nil {
		t.Fatal(err)
	}
	return resources
}

// seeds adds all recorded files of a kind to a fuzz test.
func seeds(f *testing.F, kind string) {
	files, err := filepath.Glob("testdata/" + kind + "-*.xml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no recorded files: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	text, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}
