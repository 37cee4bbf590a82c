package programs

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"testing/fstest"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestNode(t *testing.T) {
	from := fstest.MapFS{
		"built/sirikata-node-linux-amd64": {Data: []byte("for amd64")},
		"built/sirikata-node-linux-arm64": {Data: []byte("for arm64, too")},
	}
	for machine, want := range map[string]string{"x86_64": "for amd64", "aarch64": "for arm64, too"} {
		content, digest, err := NodeFrom(from, machine)
		sum := sha256.Sum256([]byte(want))
		if err != nil || string(content) != want || digest != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %q, digest %s (%v)", machine, content, digest, err)
		}
	}
	if _, _, err := NodeFrom(from, ""); err == nil || err.Error() != "no sirikata-node for a  machine: only x86_64 and aarch64" {
		t.Errorf("error %v", err)
	}
	_, _, err := NodeFrom(fstest.MapFS{}, "aarch64")
	if err == nil || err.Error() != "this sirikata-cluster was built without sirikata-node for arm64" || cluster.HintOf(err) != "build it with make build" {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
}
