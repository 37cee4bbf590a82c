package puppet

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// modules are what a puppetserver would have in its module path.
//
//go:embed modules
var modules embed.FS

// masterless is what a puppetserver would have instead: the manifest that says
// which classes a node has, and where Hiera finds its data.
//
//go:embed masterless
var masterless embed.FS

// bundle is the tar of all that Puppet needs for one node, and its SHA-256 in
// hexadecimal. The same data makes the same bytes.
func bundle(data Data) (content []byte, digest string, err error) {
	hiera, err := data.hiera()
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	if err := addTree(archive, modules, "."); err != nil {
		return nil, "", err
	}
	if err := addTree(archive, masterless, "masterless"); err != nil {
		return nil, "", err
	}
	if err := addFile(archive, "data/node.json", hiera); err != nil {
		return nil, "", err
	}
	if err := archive.Close(); err != nil {
		return nil, "", fmt.Errorf("end tar: %w", err)
	}
	sum := sha256.Sum256(out.Bytes())
	return out.Bytes(), hex.EncodeToString(sum[:]), nil
}

// addTree adds the files under a directory, in the order of their names. tar(1)
// makes the directories.
func addTree(archive *tar.Writer, tree fs.FS, directory string) error {
	return fs.WalkDir(tree, directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return addFile(archive, strings.TrimPrefix(path.Clean(name), directory+"/"), content)
	})
}

func addFile(archive *tar.Writer, name string, content []byte) error {
	header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Format: tar.FormatPAX}
	if err := archive.WriteHeader(header); err != nil {
		return fmt.Errorf("add %s to tar: %w", name, err)
	}
	if _, err := archive.Write(content); err != nil {
		return fmt.Errorf("add %s to tar: %w", name, err)
	}
	return nil
}
