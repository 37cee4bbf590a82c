package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// streams are the three standard streams of one command. When one of them
// fails on our side, abort ends the command: a program that waits for input, or
// for its output to be taken, would wait for ever.
type streams struct {
	stdin          io.Reader
	stdout, stderr gate
	abort          func(error)

	mu   sync.Mutex // one for both gates: they may lead to the same writer
	done bool
}

func newStreams(cmd Command, abort func(error)) *streams {
	s := &streams{stdin: cmd.Stdin, abort: abort}
	s.stdout = gate{streams: s, to: cmd.Stdout}
	s.stderr = gate{streams: s, to: cmd.Stderr}
	return s
}

// shut lets nothing more through and returns what was collected.
func (s *streams) shut() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
	return Result{Stdout: s.stdout.collected.Bytes(), Stderr: s.stderr.collected.Bytes()}
}

// feed copies standard input until it ends, or until the command does not want
// more of it, which is no error.
func (s *streams) feed(input io.WriteCloser) {
	if s.stdin != nil {
		from := &source{Reader: s.stdin}
		_, _ = io.Copy(input, from)
		if from.err != nil {
			// Without a Close, or the command would take it for the end.
			s.abort(fmt.Errorf("read input: %w", from.err))
			return
		}
	}
	_ = input.Close()
}

// source tells an error of reading from one of writing.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// gate is where output of a command leaves us: to a writer, or else collected.
type gate struct {
	streams   *streams
	to        io.Writer
	collected bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	g.streams.mu.Lock()
	defer g.streams.mu.Unlock()
	if g.streams.done {
		return 0, io.ErrClosedPipe
	}
	if g.to == nil {
		return g.collected.Write(p)
	}
	n, err := g.to.Write(p)
	if err != nil {
		g.streams.abort(fmt.Errorf("write output: %w", err))
	}
	return n, err
}
