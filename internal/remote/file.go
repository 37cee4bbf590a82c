package remote

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// writeScript takes the directory, the path, that of a temporary file, the mode
// and a seal that ends the content. A shell cannot tell the end of a transfer
// from a connection that broke, the seal can. It is cut off again before the file
// gets its name. The traps stand before the file does: SIGTERM may come at any
// time, and none of it may stay.
const writeScript = `set -eu
dir=$1 path=$2 temp=$3 mode=$4 seal=$5
trap 'rm -f "$temp"' EXIT
trap 'exit 1' HUP INT PIPE TERM
umask 022
[ -d "$dir" ] || mkdir -p "$dir"
if [ -d "$path" ]; then echo "it is a directory" >&2; exit 1; fi
umask 077
cat >"$temp"
if [ "$(tail -c ${#seal} "$temp")" != "$seal" ]; then
	rm -f "$temp"
	echo "the content was cut off" >&2
	exit 1
fi
size=$(wc -c <"$temp")
truncate -s "$((size - ${#seal}))" "$temp"
chmod "$mode" "$temp"
mv -f "$temp" "$path"
`

// WriteFile makes content the file at path on the node, with the permission
// bits of mode, owned by the user who is logged in. Missing directories are made
// with mode 0755. Whoever reads the path sees the old file or the whole new
// one, with its mode; a link there is replaced, not followed. It may be called
// again at any time.
//
// Where content fails, the context ends or the connection breaks, the old file
// stays and nothing is left beside it; errors are those of [Client.Run]. It
// needs a POSIX shell and truncate on the node.
func (c *Client) WriteFile(ctx context.Context, file string, mode fs.FileMode, content io.Reader) error {
	seal := rand.Text()
	file = path.Clean(file)
	if !path.IsAbs(file) {
		file = "./" + file // so that it is no option
	}
	dir, _ := path.Split(file)
	_, err := c.run(ctx, fmt.Sprintf("write %q", file), Command{
		Argv: []string{"sh", "-c", writeScript, "sh", dir, file, dir + ".new-" + rand.Text(),
			fmt.Sprintf("%04o", mode.Perm()), seal},
		Stdin: io.MultiReader(content, strings.NewReader(seal)),
	})
	return err
}
