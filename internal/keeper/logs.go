package keeper

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// followPause is the pause between two looks at a log that is followed.
const followPause = 100 * time.Millisecond

// logs prints what a service printed last. To follow it goes on until stdin
// ends, as it does with the connection of whoever asked.
func (n *node) logs(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	if len(n.request.IDs) != 1 {
		return fmt.Errorf("logs are of one service, not of %d", len(n.request.IDs))
	}
	id := n.request.IDs[0]
	f := follower{path: n.dir.file(id, logFile), out: stdout}
	defer f.close()
	if err := f.begin(n.dir.file(id, olderLog), n.request.Lines); err != nil || n.request.Action == protocol.Logs {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	for {
		if err := f.more(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
		}
	}
}

// follower prints a file that grows, is cut, and is replaced.
type follower struct {
	path string
	out  io.Writer
	file *os.File // nil while there is none
	at   int64
}

func (f *follower) close() {
	if f.file != nil {
		_ = f.file.Close()
		f.file = nil
	}
}

// begin prints the last lines of the file, with those of the older one before.
func (f *follower) begin(older string, lines int) error {
	var now, before []byte
	f.open()
	if f.file != nil {
		now, f.at = lastLines(f.file, lines)
	}
	if missing := lines - bytes.Count(now, []byte("\n")); missing > 0 {
		if file, err := os.Open(older); err == nil {
			before, _ = lastLines(file, missing)
			_ = file.Close()
		}
	}
	if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		before = append(before, '\n')
	}
	_, err := f.out.Write(append(before, now...))
	return err
}

func (f *follower) open() {
	// One that does not exist yet, or no more, is looked for again.
	if file, err := os.Open(f.path); err == nil {
		f.file, f.at = file, 0
	}
}

// more prints what was added. The rest of a file that was replaced comes first.
func (f *follower) more() error {
	if f.file == nil {
		f.open()
	}
	if f.file == nil {
		return nil
	}
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.at {
		f.at = 0
	}
	n, err := io.Copy(f.out, io.NewSectionReader(f.file, f.at, info.Size()-f.at))
	f.at += n
	if err != nil {
		return err
	}
	if now, err := os.Stat(f.path); err == nil && !os.SameFile(now, info) {
		f.close()
	}
	return nil
}
