package nodegroup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/archive"
)

// source is a release on the operator's machine: an installed Sirikata, or a file
// that one was packaged in.
type source struct {
	path    string
	content archive.Content
	// stream makes the stream, where it is not there yet.
	stream func(ctx context.Context) (releaseStream, error)
}

// openSource looks at a release and checks it.
func (p packages) openSource(ctx context.Context, path string) (source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return source{}, fmt.Errorf("look at what is to be synced: %w", err)
	}
	if info.IsDir() {
		return p.openTree(ctx, path)
	}
	return p.openFile(ctx, path)
}

// openTree makes the digest of a directory. Its stream is made only if a node
// needs it.
func (p packages) openTree(ctx context.Context, dir string) (source, error) {
	tree, err := archive.Scan(ctx, dir, "")
	if err != nil {
		return source{}, hintInstalled(err, dir)
	}
	pack := func(w io.Writer) (archive.Content, error) {
		digest := sha256.New()
		err := tree.Write(ctx, io.MultiWriter(w, digest), nil)
		return archive.Content{Digest: hex.EncodeToString(digest.Sum(nil)), Bytes: tree.Bytes, Files: tree.Files}, err
	}
	content, err := pack(io.Discard)
	if err != nil {
		return source{}, err
	}
	return source{path: dir, content: content, stream: func(ctx context.Context) (releaseStream, error) {
		if s, ok := p.stream(ctx, content.Digest); ok {
			return s, nil
		}
		s, err := p.make(pack)
		if err == nil && s.Digest != content.Digest {
			err = fmt.Errorf("package %q: its files changed meanwhile", dir)
		}
		return s, err
	}}, nil
}

// openFile makes the digest of the archive in a file, and checks the archive. To
// decompress it takes long, so its stream is made at once, and a file that was seen
// before is known by its own digest.
func (p packages) openFile(ctx context.Context, path string) (source, error) {
	of := func(err error) error {
		var invalid *cluster.InvalidError
		if errors.As(err, &invalid) {
			invalid.What = fmt.Sprintf("package %q", path)
			return cluster.WithHint(invalid, "sirikata-cluster sirikata package makes one that is right")
		}
		return cluster.WithHint(fmt.Errorf("read %q: %w", path, err), "%s", cluster.HintOf(err))
	}
	seen, err := fileDigest(ctx, path)
	if err != nil {
		return source{}, of(err)
	}
	unpack := func(ctx context.Context) (releaseStream, error) {
		s, err := p.make(func(w io.Writer) (content archive.Content, err error) { return copyArchive(ctx, path, w) })
		if err != nil {
			return s, of(err)
		}
		return s, p.save("of-"+seen+".json", s.Content)
	}
	src := source{path: path}
	if !p.load("of-"+seen+".json", &src.content) {
		s, err := unpack(ctx)
		if err != nil {
			return source{}, err
		}
		src.content = s.Content
	}
	src.stream = func(ctx context.Context) (releaseStream, error) {
		if s, ok := p.stream(ctx, src.content.Digest); ok {
			return s, nil
		}
		return unpack(ctx)
	}
	return src, nil
}

// copyArchive decompresses the archive in a file to w, and checks it.
func copyArchive(ctx context.Context, path string, w io.Writer) (content archive.Content, err error) {
	file, err := os.Open(path)
	if err != nil {
		return content, err
	}
	defer func() { _ = file.Close() }()
	err = archive.Open(ctx, file, archive.Decompressors(), func(r io.Reader) (err error) {
		content, err = archive.Check(ctx, io.TeeReader(r, w), archive.Release())
		return err
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return content, err
}

func fileDigest(ctx context.Context, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	digest := sha256.New()
	_, err = io.CopyBuffer(digest, struct{ io.Reader }{file}, make([]byte, 1<<20))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return hex.EncodeToString(digest.Sum(nil)), err
}
