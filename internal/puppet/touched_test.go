package puppet

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// TestTouchedIsComplete finds the paths that the modules' classes and Go write among
// what is recorded. (That packages leave nothing else, a test in the lab shows.)
func TestTouchedIsComplete(t *testing.T) {
	written := []string{cluster.NodeFilePath, cluster.NodesFilePath, cluster.NodeProgramPath, cluster.FenceSecretPath, cluster.FenceAgentPath}
	quoted := regexp.MustCompile(`['"](/(?:etc|usr|var)/[^'"$ ]+)['"]`)
	manifests, err := fs.Glob(modules, "modules/sirikata/manifests/*.pp")
	if err != nil || len(manifests) == 0 {
		t.Fatal(manifests, err)
	}
	for _, manifest := range manifests {
		text, err := modules.ReadFile(manifest)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range quoted.FindAllStringSubmatch(string(text), -1) {
			written = append(written, found[1])
		}
	}
	if !slices.Contains(written, "/etc/default/pacemaker") {
		t.Error("the paths in the manifests were not found")
	}
	for _, path := range written {
		if !touches(path) && !slices.Contains([]string{"/etc/systemd/system", "/usr/bin", "/usr/sbin"}, path) {
			t.Errorf("%s is not among what is recorded", path)
		}
	}
}

func touches(path string) bool {
	for line := range strings.Lines(touched + touchedForSBD) {
		kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path == name || kind == "tree" && strings.HasPrefix(path, name+"/") {
			return true
		}
	}
	return false
}

func TestTouchedFor(t *testing.T) {
	node := cluster.NodeFile{ServiceUser: "sirikata", SirikataPath: "/srv/of/sirikata", WorkingPath: "/srv/of", WorkspacePath: "/var/with space/"}
	own := strings.TrimPrefix(touchedFor(node, false), strings.TrimSpace(touched)+"\n")
	want := "user sirikata\ngroup sirikata\nmade /home\nmade /home/sirikata\nmade /srv\nmade /srv/of\nmade /srv/of/sirikata\nmade /var\nmade /var/with space\n"
	if own != want {
		t.Errorf("got:\n%s\nwant:\n%s", own, want)
	}
	if with := touchedFor(node, true); !strings.Contains(with, "\nfile /etc/default/sbd\n") || strings.Contains(touchedFor(node, false), "sbd") {
		t.Errorf("with sbd:\n%s", with)
	}
	// Any other user is the host's.
	node.ServiceUser = "daemon"
	if own := touchedFor(node, false); strings.Contains(own, "daemon") || strings.Contains(own, "/home") {
		t.Errorf("got:\n%s", own)
	}
}
