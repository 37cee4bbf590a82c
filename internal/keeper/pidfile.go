package keeper

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ReadPIDFile reads a file that the service's user may have made anything of: a
// link to what that user may not read, or a pipe that never ends. What holds no
// process id is a [strconv.ErrSyntax] or [strconv.ErrRange].
func ReadPIDFile(path string) (int, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	const enough = 64
	content, err := io.ReadAll(io.LimitReader(file, enough))
	if err := errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	pid, err := strconv.ParseUint(strings.TrimSpace(string(content)), 10, 31)
	return int(pid), err
}
