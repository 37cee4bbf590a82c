package keeper

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxLog is the size, in bytes, beyond which a log is put aside; one older one
// is kept. A service may print more than that between two looks of its keeper.
const maxLog = 8 << 20

// newLog puts the log of the last run aside and opens a new one. Services write
// to the file itself: they must not depend on their keeper.
func (d directory) newLog(id string) (*os.File, error) {
	path := d.file(id, logFile)
	if err := os.Rename(path, d.file(id, olderLog)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// Appending, so that whoever writes goes on at the front once it was cut.
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode)
}

// boundLog puts a log aside that grew too large. Those that write to it keep it
// open, so it is copied and cut: what they print in between is lost.
func (d directory) boundLog(id string, log *os.File, limit int64) error {
	info, err := log.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	older, err := os.OpenFile(d.file(id, olderLog), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(older, io.NewSectionReader(log, max(info.Size()-limit, 0), limit))
	// Cut also where there is no room for the copy.
	return errors.Join(err, older.Close(), log.Truncate(0))
}

// tail are the last lines of a file, without the end of the last one; empty if
// there is none.
func tail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	content, _ := lastLines(file, lines)
	return strings.TrimRight(string(content), "\n")
}

// lastLines reads the last lines of a file, and where they end. A line may be so
// long that only the end of it is read.
func lastLines(file *os.File, lines int) ([]byte, int64) {
	info, err := file.Stat()
	if err != nil {
		return nil, 0
	}
	const block, most = 64 << 10, 16 << 20
	end := info.Size()
	for size := int64(block); ; size *= 4 {
		size = min(size, end, most)
		content := make([]byte, size)
		n, err := file.ReadAt(content, end-size)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, end
		}
		content = content[:n]
		kept, all := cutLines(content, lines)
		if all || size == end || size == most {
			return kept, end
		}
	}
}

// cutLines returns the last lines of a text, and whether it has more than them.
func cutLines(text []byte, lines int) ([]byte, bool) {
	if lines == 0 {
		return nil, true
	}
	at := len(bytes.TrimSuffix(text, []byte("\n")))
	for range lines {
		at = bytes.LastIndexByte(text[:at], '\n')
		if at < 0 {
			return text, false
		}
	}
	return text[at+1:], true
}
