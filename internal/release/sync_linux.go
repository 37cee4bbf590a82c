package release

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFiles writes the file system of a directory to its disk.
func syncFiles(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(file.Fd())), file.Close())
}
