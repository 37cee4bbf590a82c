package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
)

// writePieces writes pieces, each of one other byte, the last of them short.
func writePieces(count int) func(io.Writer) error {
	return func(w io.Writer) error {
		content := make([]byte, 0, count*pieceSize)
		for i := range count {
			content = append(content, bytes.Repeat([]byte{byte(i)}, pieceSize)...)
		}
		_, err := w.Write(content[:len(content)-1])
		return err
	}
}

// TestPiecesAtOnce has as many compressors wait for each other as there are
// processors, and the first end last.
func TestPiecesAtOnce(t *testing.T) {
	processors := runtime.GOMAXPROCS(0)
	count := 2 * processors
	var all sync.WaitGroup
	all.Add(processors)
	last := make(chan struct{})
	var out bytes.Buffer
	err := compressPieces(t.Context(), &out, func(_ context.Context, piece []byte) ([]byte, error) {
		if int(piece[0]) < processors {
			all.Done()
			all.Wait()
		}
		switch {
		case piece[0] == 0 && processors > 1:
			<-last
		case int(piece[0]) == processors-1:
			close(last)
		}
		return piece[:1], nil
	}, writePieces(count))
	want := make([]byte, count)
	for i := range want {
		want[i] = byte(i)
	}
	if err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%v, not %v: %v", out.Bytes(), want, err)
	}
}

func TestPiecesOfNothing(t *testing.T) {
	pieces := 0
	err := compressPieces(t.Context(), io.Discard, func(_ context.Context, piece []byte) ([]byte, error) {
		pieces++
		return nil, nil
	}, func(io.Writer) error { return nil })
	if err != nil || pieces != 1 {
		t.Errorf("%d pieces: %v", pieces, err)
	}
}

func TestPiecesFail(t *testing.T) {
	mine := errors.New("mine")
	many := 4 * runtime.GOMAXPROCS(0)
	good := func(_ context.Context, piece []byte) ([]byte, error) { return piece[:1], nil }
	for name, test := range map[string]struct {
		to       io.Writer
		compress compressor
		write    func(io.Writer) error
	}{
		"compressor": {io.Discard, func(_ context.Context, piece []byte) ([]byte, error) {
			if piece[0] == 1 {
				return nil, mine
			}
			return piece, nil
		}, writePieces(many)},
		"output": {failing{mine}, good, writePieces(many)},
		"input":  {io.Discard, good, func(io.Writer) error { return mine }},
	} {
		if err := compressPieces(t.Context(), test.to, test.compress, test.write); !errors.Is(err, mine) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
