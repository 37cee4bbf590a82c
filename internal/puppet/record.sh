# Records what is on a host before anything is changed on it. Standard input:
# what we may change, as touched.go has it. $1: our state. $2: the cluster. $3: the
# node file. $4: what we change as well where Puppet is missing. $5: install-packages.
#
# The record is state/before: a directory for each time that something new was to be
# recorded, with list (what it is about), missing (what of that was not there),
# files.tar (what was) and units. It is whole, or not there. Of what was recorded
# once nothing is recorded again: then it is as we made it.
set -eu
export LC_ALL=C
state=$1 cluster=$2 before=$1/before
PATH=$PATH:/usr/sbin:/sbin:/opt/puppetlabs/bin

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	refuse "it is no Debian: it has no apt-get or no dpkg-query"
fi
# sd_booted(3)
[ -d /run/systemd/system ] || refuse "it does not run systemd"

# configured tells whether Corosync or Pacemaker has been set up here. What Debian's
# packages bring says nothing: a name in corosync.conf, and the key of Pacemaker.
configured() {
	if [ -e /var/lib/pacemaker/cib/cib.xml ]; then return; fi
	sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p' /etc/corosync/corosync.conf 2>/dev/null |
		grep -qv '^\(debian\)\{0,1\}[[:space:]]*$'
}
# strangers prints what the host does for a cluster now, or would when it boots.
strangers() {
	for unit in corosync pacemaker pacemaker_remote; do
		case $unit in
		corosync) title=Corosync ;;
		pacemaker) title=Pacemaker ;;
		*) title="Pacemaker Remote" ;;
		esac
		if systemctl --quiet is-active "$unit.service"; then
			echo "it runs $title"
			return
		elif [ "$(systemctl is-enabled "$unit.service" 2>/dev/null || true)" = enabled ] && configured; then
			echo "it has enabled $title"
			return
		fi
	done
}
# take refuses a host that is not free for our cluster, or ours. A cluster of ours is
# known by its record before it runs: so what runs is asked for first.
take() {
	strangers=$(strangers)
	admit "$cluster" "$1" "$state"
	if [ -z "$owner" ] && [ -n "$strangers" ]; then
		refuse "$strangers for a cluster that is not of sirikata-cluster"
	fi
}
take "$3"
umask 077
lock "$state"
take "$3"
# A restore that was killed when all was done.
rm -rf "$state/gone"

mkdir -p "$before"
new=$before/new
rm -rf "$new"
mkdir "$new"
{
	cat
	command -v puppet >/dev/null || echo "$4"
} | sort -u | grep . >"$new/wanted"
cat "$before"/[0-9]*/list 2>/dev/null | sort -u >"$new/known" || true
comm -23 "$new/wanted" "$new/known" >"$new/list"

# there tells whether what a line is about is on the host.
there() {
	case $1 in
	user) getent passwd "$2" >/dev/null ;;
	group) getent group "$2" >/dev/null ;;
	*) [ -e "$2" ] || [ -L "$2" ] ;;
	esac
}
: >"$new/missing"
: >"$new/units"
: >"$new/alone"
: >"$new/whole"
while read -r kind name; do
	case $kind in
	made) path=$name ;; # the only one that may have a space
	*) path=${name%% *} ;;
	esac
	case $kind in
	unit)
		enabled=$(systemctl is-enabled "$name" 2>/dev/null || true)
		echo "$name ${enabled:-absent} $(systemctl is-active "$name" || true)" >>"$new/units"
		continue
		;;
	esac
	if ! there "$kind" "$path"; then
		echo "$kind $name" >>"$new/missing"
		continue
	fi
	case $kind in
	tree) echo "$path" >>"$new/whole" ;;
	file | directory) echo "$path" >>"$new/alone" ;;
	esac
done <"$new/list"

if [ -s "$new/list" ]; then
	# 1: a file changed meanwhile (tar(1)), as those of a cluster that runs do.
	tar -cPf "$new/files.tar" --numeric-owner --xattrs --acls \
		--no-recursion -T "$new/alone" --recursion -T "$new/whole" >&2 || [ $? = 1 ]
	sync -f "$new"
	number=1
	while [ -e "$before/$number" ]; do number=$((number + 1)); done
	mv "$new" "$before/$number"
else
	rm -rf "$new"
fi
echo "$cluster" >"$before/cluster.new"
mv "$before/cluster.new" "$before/cluster"
