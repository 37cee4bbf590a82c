package nodegroup

import (
	"context"
	"fmt"
)

// fullDisk is where the full file system of a disk test is on the node.
const fullDisk = "/run/cluster-crash-test"

// fillScript makes the disk full for what the cluster and its services write: a full
// file system is laid over the directories, its arguments from $3 on. What was in
// them can be read, nothing can be added (overlayfs in the kernel's documentation).
// The disk itself, which others may share, has the room that it had. The directories
// below are bound to a place of ours, since an option of mount cannot hold any path.
const fillScript = `
shift 2
full=` + fullDisk + `
mkdir -p "$full/disk"
mount -t tmpfs -o size=1m,mode=755 crash-test "$full/disk"
n=0
for directory; do
	[ -d "$directory" ] || continue
	# Or it lies in one that is full already: file systems of this kind do not pile up.
	[ "$(findmnt --noheadings --output SOURCE --target "$directory")" != crash-test ] || continue
	n=$((n + 1))
	mkdir -p "$full/below$n" "$full/disk/up$n" "$full/disk/work$n"
	chmod --reference="$directory" "$full/disk/up$n"
	chown --reference="$directory" "$full/disk/up$n"
	mount --bind "$directory" "$full/below$n"
	mount -t overlay crash-test -o "lowerdir=$full/below$n,upperdir=$full/disk/up$n,workdir=$full/disk/work$n" "$directory"
done
cat /dev/zero >"$full/disk/filler" 2>/dev/null || true`

// freeScript takes it away again, as far as it is there. Pacemaker gives up writing
// its configuration to a disk that is full, and takes it up again at this signal.
const freeScript = `full=` + fullDisk + `
[ -d "$full" ] || exit 0
while read -r what where type rest; do
	if [ "$what $type" = "crash-test overlay" ]; then umount -l "$(printf %b "$where")"; fi
done </proc/mounts
for below in "$full"/below*; do umount -l "$below" 2>/dev/null || true; done
umount -l "$full/disk" 2>/dev/null || true
rmdir "$full"/* "$full"
pkill -PIPE -x pacemaker-based || true`

// fillDisk fills the disk and kills one process of the node, so that something has
// to be started there.
func (c *crash) fillDisk() fault {
	kill := c.killProcess()
	paths := c.group.spec.Paths(c.victim.Name)
	directories := []string{"/var/lib/corosync", "/var/lib/pacemaker", "/var/log", paths.Working, paths.Workspace}
	return fault{
		what: "its disk was full, and " + kill.what,
		do: func(ctx context.Context) error {
			if err := c.breakFor(ctx, fillScript, freeScript, directories...); err != nil {
				return err
			}
			return kill.do(ctx)
		},
		undo: func(ctx context.Context, w *crashWatch) error {
			if err := c.mendNow(ctx, freeScript); err != nil {
				return err
			}
			if c.service != "" && w.runsOn(c.service, c.victim.Name) {
				// It was started in a directory that is gone now.
				_, err := c.engine.Restart(ctx, []string{c.service})
				return err
			}
			return kill.undo(ctx, w)
		},
		left: fmt.Sprintf("the disk has room again by itself, %v after it was filled; then: %s", c.endsAfter(), kill.left),
	}
}
