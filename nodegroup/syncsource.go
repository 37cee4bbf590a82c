package nodegroup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/archive"
)

// releaseStream is a release as it travels to nodes: a tar archive, compressed by
// zstd, which a node decompresses many times as fast as bzip2.
type releaseStream struct {
	archive.Content
	// Name is the SHA-256 of the stream, in hexadecimal, and Size its length.
	Name string
	Size int64
}

// packages is the directory of streams on the operator's machine. They can be made
// again: a file is removed at will. They are kept for the next node, and lest a
// transfer that was cut off begin anew because of another version's zstd.
type packages struct{ dir string }

// keptStreams is how many streams stay.
const keptStreams = 3

// newPattern names a stream that is being made. One that has not grown for so long
// was left by a command that was killed.
const (
	newPattern = ".new-*"
	abandoned  = time.Hour
)

const streamSuffix = ".tar.zst"

func (g *NodeGroup) packages() packages { return packages{filepath.Join(g.store.Dir(), "packages")} }

func (p packages) file(digest string) string { return filepath.Join(p.dir, digest+streamSuffix) }

// stream is what is known of the stream of a release, if it is there.
func (p packages) stream(digest string) (s releaseStream, ok bool) {
	if !p.load(digest+".json", &s) {
		return s, false
	}
	info, err := os.Stat(p.file(digest))
	return s, err == nil && info.Size() == s.Size
}

func (p packages) load(name string, into any) bool {
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	return err == nil && json.Unmarshal(text, into) == nil
}

func (p packages) save(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(p.dir, name), text, 0o600, renameio.WithTempDir(p.dir))
}

// make makes the stream of an archive, which write writes to a writer and
// describes.
func (p packages) make(write func(w io.Writer) (archive.Content, error)) (s releaseStream, err error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return s, err
	}
	pending, err := os.CreateTemp(p.dir, newPattern)
	if err != nil {
		return s, err
	}
	defer func() {
		_ = pending.Close()
		if err != nil {
			_ = os.Remove(pending.Name())
		}
	}()
	name := &sized{hash: sha256.New()}
	out, err := zstd.NewWriter(io.MultiWriter(pending, name))
	if err != nil {
		return s, err
	}
	s.Content, err = write(out)
	if err := errors.Join(err, out.Close()); err != nil {
		return s, err
	}
	s.Name, s.Size = hex.EncodeToString(name.hash.Sum(nil)), name.n
	// Nothing is lost with it in a power cut: it needs no sync to the disk.
	if err := os.Rename(pending.Name(), p.file(s.Digest)); err != nil {
		return s, err
	}
	if err := p.save(s.Digest+".json", s); err != nil {
		return s, err
	}
	return s, p.prune(s.Digest)
}

// prune removes the oldest streams, never the one of digest, and what killed
// commands left.
func (p packages) prune(digest string) error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	var old []fs.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue // another command removed it
		}
		left, _ := filepath.Match(newPattern, entry.Name())
		switch {
		case left && time.Since(info.ModTime()) > abandoned:
			_ = os.Remove(filepath.Join(p.dir, entry.Name()))
		case strings.HasSuffix(entry.Name(), streamSuffix) && entry.Name() != digest+streamSuffix:
			old = append(old, info)
		}
	}
	slices.SortFunc(old, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for _, info := range old[min(keptStreams-1, len(old)):] {
		if err := os.Remove(filepath.Join(p.dir, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// sized makes a digest of what is written, and counts it.
type sized struct {
	hash hash.Hash
	n    int64
}

func (s *sized) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	return s.hash.Write(p)
}

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
	return source{path: dir, content: content, stream: func(context.Context) (releaseStream, error) {
		if s, ok := p.stream(content.Digest); ok {
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
		if s, ok := p.stream(src.content.Digest); ok {
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
