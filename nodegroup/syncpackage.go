package nodegroup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/archive"
)

// Packaged is a release that was packaged.
type Packaged struct {
	// Output is the file.
	Output string
	// Digest is the SHA-256 of the tar archive in it, uncompressed; it names the
	// release on nodes.
	Digest string
	// Files are how many there are in it, and Bytes their size.
	Files, Bytes int64
	// Size is that of the compressed file, in bytes.
	Size int64
	// By is the program that compressed it.
	By string
}

// Package packages the bin, lib and share of an installed Sirikata in a file, a
// tar archive that is compressed by bzip2. The same tree makes the same archive.
// progress gets how many of how many bytes are done, from one goroutine; it may
// be nil.
//
// Whatever goes wrong, an earlier file of that name stays as it was, and nothing
// is left beside it. What is wrong with the tree is one *cluster.InvalidError. It
// can be repeated.
func Package(ctx context.Context, dir, output string, progress func(done, all int64)) (Packaged, error) {
	p := Packaged{Output: output}
	if info, err := os.Stat(output); err == nil && info.IsDir() {
		return p, cluster.WithHint(fmt.Errorf("package to %q: it is a directory", output),
			"name a file: --output=%s", filepath.Join(output, "sirikata.tar.bz2"))
	}
	tree, err := archive.Scan(ctx, dir, output)
	if err != nil {
		return p, hintInstalled(err, dir)
	}
	p.Files, p.Bytes = tree.Files, tree.Bytes
	// In the same directory, where there is room for it if there is for the file.
	pending, err := renameio.NewPendingFile(output, renameio.WithTempDir(filepath.Dir(output)),
		renameio.WithPermissions(0o666), renameio.WithExistingPermissions())
	if err != nil {
		return p, fmt.Errorf("write %q: %w", output, err)
	}
	digest := sha256.New()
	p.By, err = archive.Compress(ctx, pending, archive.Compressors(), func(w io.Writer) error {
		return tree.Write(ctx, io.MultiWriter(w, digest), counted(tree.Bytes, progress))
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return p, fmt.Errorf("package %q: %w", dir, errors.Join(err, pending.Cleanup()))
	}
	info, err := pending.Stat()
	if err != nil {
		return p, errors.Join(err, pending.Cleanup())
	}
	p.Size, p.Digest = info.Size(), hex.EncodeToString(digest.Sum(nil))
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return p, fmt.Errorf("write %q: %w", output, errors.Join(err, pending.Cleanup()))
	}
	return p, nil
}

// counted adds up what was read.
func counted(all int64, progress func(done, all int64)) func(n int) {
	if progress == nil {
		return nil
	}
	var done int64
	return func(n int) {
		done += int64(n)
		progress(done, all)
	}
}

// hintInstalled says what a directory to be packaged is.
func hintInstalled(err error, dir string) error {
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	for _, fault := range invalid.Faults {
		if fault.Problem == "is missing" {
			return cluster.WithHint(err, "name the directory that Sirikata was installed to (make install), not that of its sources; it holds bin, lib and share")
		}
	}
	return cluster.WithHint(err, "mend these in %s, and package it again", dir)
}
