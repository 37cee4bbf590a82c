package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"github.com/dsnet/compress/bzip2"
)

// Compressors are the programs that write bzip2, the fastest first.
func Compressors() []string { return []string{"lbzip2", "pbzip2", oneCore} }

// oneCore is the program that uses one processor.
const oneCore = "bzip2"

// Library is what [Compress] says that it compressed with where there is no
// program to do it.
const Library = "its own bzip2"

// Compress writes what write writes to w, compressed by bzip2: by the first of the
// programs that the machine has, or else by itself; in each case by all processors. It
// returns what did it. If the context ends, it ends with its cause. What was written
// until an error may look like a whole file.
func Compress(ctx context.Context, w io.Writer, programs []string, write func(io.Writer) error) (by string, err error) {
	for _, program := range programs {
		file, err := exec.LookPath(program)
		switch {
		case err != nil:
		case program == oneCore:
			return program, compressPieces(ctx, w, pieceBy(file), write)
		default:
			return program, compressBy(ctx, file, w, write)
		}
	}
	return Library, compressPieces(ctx, w, pieceByLibrary, write)
}

// pieceByLibrary compresses a piece without a program.
func pieceByLibrary(_ context.Context, piece []byte) ([]byte, error) {
	var file bytes.Buffer
	out, err := bzip2.NewWriter(&file, &bzip2.WriterConfig{Level: bzip2.BestCompression})
	if err != nil {
		return nil, err
	}
	_, err = out.Write(piece)
	err = errors.Join(err, out.Close())
	return file.Bytes(), err
}

// pieceBy has a program compress a piece.
func pieceBy(program string) compressor {
	return func(ctx context.Context, piece []byte) ([]byte, error) {
		var file bytes.Buffer
		err := compressBy(ctx, program, &file, func(w io.Writer) error {
			_, err := w.Write(piece)
			return err
		})
		return file.Bytes(), err
	}
}

// compressBy has a program compress.
func compressBy(ctx context.Context, program string, w io.Writer, write func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-c")
	cmd.Env = []string{} // bzip2 takes options from it
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &words
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("compress: %w", err)
	}
	buffered := bufio.NewWriterSize(input, 1<<20)
	fault := write(buffered)
	if fault == nil {
		fault = buffered.Flush()
	}
	if fault != nil {
		cancel() // the end of its input would look like the end of the archive
	}
	_ = input.Close()
	ended := cmd.Wait()
	if ended != nil && (fault == nil || errors.Is(fault, syscall.EPIPE)) { // it went first
		return fmt.Errorf("compress with %s: %w: %s", program, ended, bytes.TrimSpace(words.Bytes()))
	}
	return fault
}
