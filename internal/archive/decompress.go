package archive

import (
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Decompressors are the programs that read bzip2, the fastest first.
func Decompressors() []string { return Compressors() }

// The bytes that a file begins with.
const (
	bzip2Magic = "BZh"
	gzipMagic  = "\x1f\x8b"
	xzMagic    = "\xfd7zXZ"
	zstdMagic  = "\x28\xb5\x2f\xfd"
	zipMagic   = "PK\x03\x04"
	// A tar archive says so in the middle of its first block (POSIX, pax).
	tarMagic   = "ustar"
	tarMagicAt = 257
)

// Open reads a file that is to be a tar archive, compressed by bzip2 or not at
// all, and hands read the archive. The bzip2 file is decompressed by the first of
// the programs that the machine has, or else by Go's library, which takes several
// times as long.
func Open(ctx context.Context, file io.Reader, programs []string, read func(io.Reader) error) error {
	begin := make([]byte, tarMagicAt+len(tarMagic))
	n, err := io.ReadFull(file, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	begin = begin[:n]
	whole := io.MultiReader(bytes.NewReader(begin), file)
	switch {
	case bytes.HasPrefix(begin, []byte(bzip2Magic)):
		return decompress(ctx, whole, programs, read)
	case n == tarMagicAt+len(tarMagic) && string(begin[tarMagicAt:]) == tarMagic:
		return read(whole)
	}
	err = errNoTar
	if n == 0 {
		err = fmt.Errorf("%w: it is empty", err)
	}
	for magic, kind := range map[string]string{gzipMagic: "gzip", xzMagic: "xz", zstdMagic: "zstd", zipMagic: "zip"} {
		if bytes.HasPrefix(begin, []byte(magic)) {
			return cluster.WithHint(fmt.Errorf("%w that is compressed by bzip2, but by %s", err, kind),
				"unpack it, and give the directory")
		}
	}
	return cluster.WithHint(err, "sirikata-cluster sirikata package makes one")
}

func decompress(ctx context.Context, file io.Reader, programs []string, read func(io.Reader) error) error {
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return decompressBy(ctx, path, file, read)
		}
	}
	return broken(read(bzip2.NewReader(file)))
}

func decompressBy(ctx context.Context, program string, file io.Reader, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-d", "-c")
	cmd.Env = []string{} // bzip2 takes options from it
	var words bytes.Buffer
	cmd.Stdin, cmd.Stderr = file, &words
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("decompress: %w", err)
	}
	fault := read(output)
	if fault != nil {
		cancel() // what it has to say of a broken file it said before its output ended
	}
	ended := cmd.Wait()
	if ended != nil && words.Len() > 0 {
		return fmt.Errorf("it is a broken bzip2 file: %s", bytes.TrimSpace(words.Bytes()))
	}
	if fault == nil && ended != nil {
		return fmt.Errorf("decompress with %s: %w", program, ended)
	}
	return fault
}

// broken says what errors of Go's library mean.
func broken(err error) error {
	var structure bzip2.StructuralError
	if errors.As(err, &structure) {
		return fmt.Errorf("it is a broken bzip2 file: %w", structure)
	}
	return err
}
