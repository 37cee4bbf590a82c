package puppet

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func mustBundle(t *testing.T, data Data) (content []byte, digest string) {
	t.Helper()
	content, digest, err := bundle(data)
	if err != nil {
		t.Fatal(err)
	}
	return content, digest
}

func TestHiera(t *testing.T) {
	for name, data := range map[string]Data{"first": testData(), "joins": withSecondNode(testData()), "sbd": withWatchdog(testData())} {
		if name == "joins" {
			data.FirstCIB, data.Node.Capabilities = "", nil
		}
		text, err := data.hiera()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "hiera-"+name+".json", text)
	}
}

func TestDigest(t *testing.T) {
	_, digest := mustBundle(t, testData())
	if _, again := mustBundle(t, testData()); again != digest {
		t.Error("the same data has two digests")
	}
	for name, change := range map[string]func(*Data){
		"node":      func(d *Data) { d.Node.FQDN = "other.example.com" },
		"key":       func(d *Data) { d.Corosync.AuthKey[7]++ },
		"token":     func(d *Data) { d.Corosync.TokenMilliseconds++ },
		"realtime":  func(d *Data) { d.Corosync.Realtime = false },
		"members":   func(d *Data) { *d = withSecondNode(*d) },
		"no CIB":    func(d *Data) { d.FirstCIB = "" },
		"watchdog":  func(d *Data) { *d = withWatchdog(*d) },
		"word lost": func(d *Data) { d.Node.Capabilities = nil },
	} {
		data := testData()
		change(&data)
		if _, other := mustBundle(t, data); other == digest {
			t.Errorf("%s: the digest stayed the same", name)
		}
	}
}

// TestBundleHoldsAll checks that the modules count for the digest, and that
// nothing is left out of them.
func TestBundleHoldsAll(t *testing.T) {
	content, _ := mustBundle(t, testData())
	archive := tar.NewReader(bytes.NewReader(content))
	got := map[string]string{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] = string(text)
	}
	for _, name := range []string{
		"hiera.yaml", "site.pp", "data/node.json",
		"modules/sirikata/hiera.yaml", "modules/sirikata/data/common.yaml", "modules/sirikata/manifests/init.pp",
		"modules/sirikata/templates/corosync.conf.epp", "modules/sirikata/lib/puppet/functions/sirikata/to_json.rb",
	} {
		if got[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	err := fs.WalkDir(os.DirFS("."), "modules", func(name string, entry fs.DirEntry, err error) error {
		if _, ok := got[name]; !ok && !entry.IsDir() {
			t.Errorf("%s is not embedded", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNodeType checks that the modules know every field of the node file, and
// the paths that Go knows.
func TestNodeType(t *testing.T) {
	read := func(name string) string {
		text, err := modules.ReadFile("modules/sirikata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	nodeType := read("types/node.pp")
	fields := reflect.TypeFor[cluster.NodeFile]()
	for i := range fields.NumField() {
		key := fields.Field(i).Tag.Get("json")
		if !strings.Contains(nodeType, "\n  "+key+" ") {
			t.Errorf("types/node.pp lacks %s", key)
		}
	}
	if count := strings.Count(nodeType, "=>"); count != fields.NumField() {
		t.Errorf("types/node.pp has %d fields, cluster.NodeFile %d", count, fields.NumField())
	}
	for _, want := range []string{"'" + cluster.NodeFilePath + "'", "'" + cluster.NodeProgramPath + "'"} {
		if !strings.Contains(read("manifests/node.pp"), want) {
			t.Errorf("manifests/node.pp lacks %s", want)
		}
	}
}
