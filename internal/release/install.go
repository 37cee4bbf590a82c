package release

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/sirikata/sirikata-cluster/internal/archive"
)

// Request is a release that is to be installed, or to be switched to.
type Request struct {
	Path   string // SIRIKATA_PATH
	Digest string // of the tar archive
	// Stream is the name of what comes, which is the archive compressed by zstd.
	// The same name is the same bytes, so that what came before counts.
	Stream string
	Offset int64 // where it begins
	Size   int64 // of the whole stream
	Bytes  int64 // of the unpacked files
	Files  int64
	Owner  *Owner   // whose everything becomes, if root installs; nil is who runs it
	InUse  []string // digests that other nodes with the same directory use
	// InPlace unpacks over what is there, without releases.
	InPlace bool
	// Back leaves the order of releases as it is: the switch goes back.
	Back bool
}

// Owner is a user.
type Owner struct {
	UID, GID int
	Groups   []int
}

// Install reads a stream from in, unpacks it and switches to it. A release that is
// there already is only switched to, and nothing is read. Without Stream there must
// be one.
//
// It can be repeated after any error, and after its end at any point: services have
// the old release or the new one. Of a stream that is cut off what came is kept.
func Install(ctx context.Context, r Request, in io.Reader) (State, error) {
	if !isDigest(r.Digest) || r.Stream != filepath.Base(r.Stream) && r.Stream != "" {
		return State{}, errors.New("the digest or the stream's name is not one")
	}
	s, used, unlock, err := begin(ctx, r)
	if err != nil {
		return State{}, err
	}
	defer unlock()
	if r.InPlace {
		return State{Current: r.Digest}, s.inPlace(ctx, r, in)
	}
	order, err := s.order()
	if err != nil {
		return State{}, err
	}
	if !slices.Contains(order, r.Digest) {
		if r.Stream == "" {
			return State{}, fmt.Errorf("there is no release %s in %s", r.Digest, s.path)
		}
		if err := s.receive(ctx, r, in, func(stage string) error {
			return os.Rename(stage, s.releases(r.Digest))
		}); err != nil {
			state, _ := s.state(ctx, r.Stream) // with the offset
			return state, err
		}
		order = append(order, r.Digest)
	}
	if err := s.switchTo(r, order); err != nil {
		return State{}, err
	}
	pruned, err := s.prune(append(used, r.InUse...), r.Back)
	if err != nil {
		return State{}, err
	}
	state, err := s.state(ctx, "")
	state.Pruned = pruned
	return state, err
}

// switchTo makes a release the current one.
func (s store) switchTo(r Request, order []string) error {
	current := s.current()
	for name, target := range links() {
		if name == currentName {
			continue
		}
		if err := os.Symlink(target, filepath.Join(s.path, name)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if current != r.Digest {
		if err := renameio.Symlink(releasesName+"/"+r.Digest, filepath.Join(s.path, currentName)); err != nil {
			return err
		}
	}
	if !r.Back {
		order = switched(order, current, r.Digest)
	}
	return s.writeOrder(order)
}

// prune removes releases that are neither among the last ones nor in use.
func (s store) prune(used []string, back bool) ([]string, error) {
	order, err := s.order()
	if err != nil || back {
		return nil, err
	}
	var pruned []string
	for _, digest := range spare(order, s.current(), used) {
		if err := archive.Remove(s.releases(digest)); err != nil {
			return pruned, fmt.Errorf("remove an old release: %w", err)
		}
		pruned = append(pruned, digest)
	}
	return pruned, nil
}

// receive unpacks a stream in a directory, and hands finish that directory when
// all of it is there and is what it should be.
func (s store) receive(ctx context.Context, r Request, in io.Reader, finish func(stage string) error) (err error) {
	part, err := s.part(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, part.Close()) }()
	stage := s.within(newName)
	if err := archive.Remove(stage); err != nil {
		return err
	}
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	content, err := unpack(ctx, part, in, r.Size, stage)
	if err == nil && content.Digest != r.Digest {
		err = fmt.Errorf("what came is not the release: its digest is %s", content.Digest)
	}
	if err == nil {
		// Lest a power cut leave a release with empty files, under its name.
		err = syncFiles(stage)
	}
	if err == nil {
		err = finish(stage)
	}
	var cut *failure
	if err != nil && errors.As(err, &cut) && cut.fault == CutOff {
		return errors.Join(err, archive.Remove(stage))
	}
	return errors.Join(err, archive.Remove(stage), os.RemoveAll(s.within(incomingName)))
}

// part opens what came of the stream; what came of others is removed.
func (s store) part(r Request) (*os.File, error) {
	dir := s.within(incomingName)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if entry.Name() != r.Stream {
			if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				return nil, err
			}
		}
	}
	if err := roomFor(s.path, r); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	part, err := os.OpenFile(filepath.Join(dir, r.Stream), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := part.Stat()
	if err == nil && info.Size() != r.Offset {
		err = &failure{Moved, fmt.Errorf("%d bytes of it are there, not %d", info.Size(), r.Offset)}
	}
	if err != nil {
		return nil, errors.Join(err, part.Close())
	}
	return part, nil
}

// roomFor looks whether there is room for a stream and its content, before hours go
// by in vain.
func roomFor(path string, r Request) error {
	const perFile = 4 << 10 // a block, on most file systems
	var fileSystem unix.Statfs_t
	if err := unix.Statfs(path, &fileSystem); err != nil {
		return err
	}
	free := int64(fileSystem.Bavail) * int64(fileSystem.Bsize) //nolint:unconvert // their types differ between machines
	if needed := r.Size - r.Offset + r.Bytes + r.Files*perFile; needed > free {
		return &failure{NoSpace, fmt.Errorf("it needs %d MB in %s, where %d MB are free", needed>>20+1, path, free>>20)}
	}
	return nil
}

// unpack unpacks what is in part and then what comes from in, which part gets, up
// to its size.
func unpack(ctx context.Context, part *os.File, in io.Reader, size int64, dir string) (archive.Content, error) {
	// First: the decoder begins to read, and what it reads to be kept, by itself.
	if _, err := part.Seek(0, io.SeekEnd); err != nil {
		return archive.Content{}, err
	}
	kept := &keeper{to: part}
	decoder, err := zstd.NewReader(io.MultiReader(bufio.NewReader(io.NewSectionReader(part, 0, sizeOf(part))), io.TeeReader(impatient(in, silence), kept)))
	if err != nil {
		return archive.Content{}, err
	}
	defer decoder.Close()
	content, err := archive.Unpack(ctx, decoder, archive.Release(), dir)
	if kept.err != nil {
		return content, kept.err
	}
	came := sizeOf(part)
	tooShort := came == 0 || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errSilent) || ctx.Err() != nil
	if err != nil && tooShort && came < size {
		return content, &failure{CutOff, fmt.Errorf("the transfer was cut off after %d of %d bytes", came, size)}
	}
	return content, err
}

func sizeOf(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// keeper keeps what comes, and the error of doing so.
type keeper struct {
	to  io.Writer
	err error
}

func (k *keeper) Write(p []byte) (int, error) {
	n, err := k.to.Write(p)
	k.err = err
	return n, err
}
