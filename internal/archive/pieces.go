package archive

import (
	"context"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// pieceSize is four blocks of bzip2 at its best level: small enough that many
// processors get work, large enough that starting a program for each is nothing.
const pieceSize = 4 * 900_000

// compressor compresses a piece to a whole file of its own.
type compressor func(ctx context.Context, piece []byte) ([]byte, error)

// pieces cuts what is written to it into pieces that are compressed at the same
// time, each to a stream of its own, as pbzip2 does: bzip2(1) takes files one after
// the other in one file for one.
type pieces struct {
	ctx      context.Context
	group    *errgroup.Group
	compress compressor
	piece    []byte
	// queue holds what becomes of the pieces, in their order. It bounds how many wait
	// for one before them, and so the memory.
	queue chan chan []byte
}

// compressPieces writes what write writes to w, compressed by as many compressors as
// there are processors.
func compressPieces(ctx context.Context, w io.Writer, compress compressor, write func(io.Writer) error) error {
	processors := runtime.GOMAXPROCS(0)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(processors + 2) // those who write and collect; more compressors would only take caches from each other
	p := &pieces{ctx: ctx, group: group, compress: compress, queue: make(chan chan []byte, processors)}
	group.Go(func() error { return p.collect(w) })
	group.Go(func() error {
		defer close(p.queue)
		if err := write(p); err != nil {
			return err
		}
		return p.start() // also of nothing: an empty file is not one of bzip2
	})
	return group.Wait()
}

// collect writes the pieces in their order.
func (p *pieces) collect(w io.Writer) error {
	for done := range p.queue {
		select {
		case compressed := <-done:
			if _, err := w.Write(compressed); err != nil {
				return err
			}
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
	return nil
}

func (p *pieces) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		if len(p.piece) == pieceSize {
			if err := p.start(); err != nil {
				return 0, err
			}
		}
		n := min(len(rest), pieceSize-len(p.piece))
		p.piece, rest = append(p.piece, rest[:n]...), rest[n:]
	}
	return len(b), nil
}

// start has the piece that was written compressed, once there is room for it.
func (p *pieces) start() error {
	piece, done := p.piece, make(chan []byte, 1)
	p.piece = make([]byte, 0, pieceSize)
	select {
	case p.queue <- done:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	p.group.Go(func() error {
		compressed, err := p.compress(p.ctx, piece)
		if err != nil {
			if p.ctx.Err() != nil {
				return context.Cause(p.ctx)
			}
			return err
		}
		done <- compressed
		return nil
	})
	return nil
}
