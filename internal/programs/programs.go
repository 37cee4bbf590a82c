// Package programs carries sirikata-node, the program of the nodes, built for
// every kind of machine. It copies it nowhere.
//
// A bare clone compiles without the programs; make build puts them in built/.
package programs

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/sirikata/sirikata-cluster/cluster"
)

//go:embed built
var built embed.FS

// architectures maps what uname -m says to Go's name of it.
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// Node is sirikata-node for a machine, by what its uname -m says, and its
// SHA-256 in hexadecimal. An error is permanent: there is none for such a
// machine, or this program was built without it.
func Node(machine string) (content []byte, digest string, err error) {
	return NodeFrom(built, machine)
}

// NodeFrom is [Node] with the programs of another file system, for tests.
func NodeFrom(from fs.FS, machine string) (content []byte, digest string, err error) {
	arch, ok := architectures[machine]
	if !ok {
		return nil, "", fmt.Errorf("no sirikata-node for a %s machine: only x86_64 and aarch64", machine)
	}
	content, err = fs.ReadFile(from, "built/sirikata-node-linux-"+arch)
	if err != nil {
		return nil, "", cluster.WithHint(fmt.Errorf("this sirikata-cluster was built without sirikata-node for %s", arch),
			"build it with make build")
	}
	sum := sha256.Sum256(content)
	return content, hex.EncodeToString(sum[:]), nil
}
