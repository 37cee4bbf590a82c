# Begins the scripts that change a node. One of them at a time: lock takes the
# directory of our state. What is started has the lock as well, so it outlives
# this shell.
lock() {
	exec 9>"$1/puppet.lock"
	flock -w 600 9 || {
		echo "another Puppet run on this node has not ended within 10 minutes" >&2
		exit 75
	}
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
