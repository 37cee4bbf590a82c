# Begins the scripts that change a node. One of them at a time: lock takes the
# directory of our state, and makes it where it is missing. What is started has the
# lock as well, so it outlives this shell.
lock() {
	while :; do
		(umask 022 && mkdir -p "$1")
		# "command", or the shell ends where the directory goes at this moment.
		command exec 9>"$1/puppet.lock" || {
			if [ -d "$1" ]; then exit 73; fi
			continue
		}
		flock -w 600 9 || {
			echo "another Puppet run on this node has not ended within 10 minutes" >&2
			exit 75
		}
		# The one before may have removed the file: then others lock another.
		if [ "$(stat -c %d:%i - <&9)" = "$(stat -c %d:%i "$1/puppet.lock" 2>/dev/null)" ]; then return; fi
	done
}
# forget removes our state, which is locked: the lock goes last, and what whoever
# waits for it makes meanwhile stays.
forget() {
	find "$1" -mindepth 1 -maxdepth 1 ! -name puppet.lock -exec rm -rf {} +
	rm -f "$1/puppet.lock"
	rmdir "$1" 2>/dev/null || true
}
# refuse ends before anything is changed.
refuse() {
	echo "$1" >&2
	exit 69
}
# owner is the cluster that the node belongs to: $1 is its node file, $2 our state.
owner() {
	name=$(sed -n 's/.*"cluster": *"\([^"]*\)".*/\1/p' "$1" 2>/dev/null || true)
	[ -n "$name" ] || name=$(cat "$2/before/cluster" 2>/dev/null || true)
	echo "$name"
}
# admit refuses a node of any other cluster than $1; $2 and $3 are owner's. It comes
# before the lock, which changes the node, and again after it: whoever had the lock
# may have taken the node.
admit() {
	owner=$(owner "$2" "$3")
	if [ -n "$owner" ] && [ "$owner" != "$1" ]; then
		refuse "it belongs to cluster \"$owner\""
	fi
}
