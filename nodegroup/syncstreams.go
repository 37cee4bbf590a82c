package nodegroup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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

// stream is what is known of the stream of a release, if it is there and whole:
// after a power cut the file may be and its content not.
func (p packages) stream(ctx context.Context, digest string) (s releaseStream, ok bool) {
	if !p.load(digest+".json", &s) {
		return s, false
	}
	name, err := fileDigest(ctx, p.file(digest))
	return s, err == nil && name == s.Name
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
