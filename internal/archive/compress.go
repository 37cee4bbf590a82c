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
func Compressors() []string { return []string{"lbzip2", "pbzip2", "bzip2"} }

// Library is what [Compress] says that it compressed with where there is no
// program to do it.
const Library = "its own bzip2"

// Compress writes what write writes to w, compressed by bzip2: by the first of the
// programs that the machine has, or else by itself. It returns what did it. If the
// context ends, it ends with its cause.
func Compress(ctx context.Context, w io.Writer, programs []string, write func(io.Writer) error) (by string, err error) {
	for _, program := range programs {
		if file, err := exec.LookPath(program); err == nil {
			return program, compressBy(ctx, file, w, write)
		}
	}
	out, err := bzip2.NewWriter(w, &bzip2.WriterConfig{Level: bzip2.BestCompression})
	if err != nil {
		return "", err
	}
	return Library, errors.Join(write(out), out.Close())
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
