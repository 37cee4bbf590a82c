# Leaves a host as the record says that it was (record.sh). Each part may be done
# again, so this may be killed at any moment: the record goes last, at once.
# $1: our state. $2: the cluster. $3: the node file. $4: install-packages. Prints
# what stays, and why, one a line.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
state=$1 cluster=$2 before=$1/before
PATH=$PATH:/usr/sbin:/sbin

admit "$cluster" "$3" "$state"
if ! [ -d "$before" ] && ! [ -d "$state/gone" ]; then
	echo "everything: it was not configured by sirikata-cluster"
	exit 0
fi
lock "$state"
admit "$cluster" "$3" "$state"
# All is done, by one that was killed then, or by one that had the lock.
if ! [ -d "$before" ]; then
	forget "$state"
	exit 0
fi
# What was applied is no more.
rm -f "$state/puppet.digest"

# of prints the names of one kind, from list or missing.
of() { cat "$before"/[0-9]*/"$1" 2>/dev/null | sed -n "s/^$2 //p"; }
# known tells whether systemd knows a unit.
known() { [ "$(systemctl show --property=LoadState --value "$1")" != not-found ]; }
# stays tells whether a package is installed; what is of none does not stay.
stays() { [ -n "$1" ] && dpkg-query -W -f '${db:Status-Abbrev}\n' "$1" 2>/dev/null | grep -q '^.[^cn]'; }

halt() {
	systemctl daemon-reload >&2
	for unit in cluster-candidates.timer pacemaker.service pacemaker_remote.service corosync.service \
		cluster-candidates.service cluster-guard.service cluster-hosts.service cluster-network.service; do
		known "$unit" || continue
		# A Pacemaker that has lost the others may wait for half an hour.
		timeout 60 systemctl stop "$unit" >&2 || {
			systemctl kill --signal=KILL "$unit" >&2 || true
			timeout 60 systemctl stop "$unit" >&2
		}
		case $unit in
		cluster-*) systemctl disable --quiet "$unit" >&2 ;;
		esac
	done
	# Services end with Pacemaker; those of one that was killed do not.
	for unit in /run/systemd/transient/sirikata-*.service; do
		if [ -e "$unit" ]; then systemctl stop "${unit##*/}" >&2; fi
	done
	for unit in $(of list unit) puppet.service; do
		if [ -L "/run/systemd/system/$unit" ]; then systemctl unmask --quiet --runtime "$unit" >&2; fi
	done
	rm -rf /run/sirikata-cluster
}

undo() {
	if [ -e /etc/sirikata-cluster/hosts ]; then
		if [ -x /usr/lib/sirikata-cluster/quick-acks ]; then /usr/lib/sirikata-cluster/quick-acks --undo >&2; fi
		if [ -x /usr/lib/sirikata-cluster/update-hosts ]; then /usr/lib/sirikata-cluster/update-hosts --undo >&2; fi
	fi
}

# files removes ours and brings back what they replaced. Packages do neither well:
# it runs before they go, so that nothing starts with our configuration, and again
# after. What is a package's stays with it, as it is by now.
files() {
	theirs >"$state/theirs"
	of list file | while read -r path package; do stays "$package" || rm -rf "$path"; done
	{ of list tree; of missing remains; } | while read -r path package; do stays "$package" || strip "$path"; done
	of missing directory | sort -r | while read -r path; do
		rmdir "$path" 2>/dev/null || true
	done
	for archive in "$before"/[0-9]*/files.tar; do
		[ -e "$archive" ] || continue
		tar -xPf "$archive" --anchored --exclude-from="$state/theirs" --numeric-owner --xattrs --acls >&2
	done
}
# theirs prints the paths that stay with their package.
theirs() {
	{ of list file; of list tree; } | while read -r path package; do
		if stays "$package"; then echo "$path"; fi
	done
}
# strip removes a tree, but for what belongs to a package that is installed: such
# may stay, and does not make its directories again.
strip() {
	[ -e "$1" ] || [ -L "$1" ] || return 0
	dpkg-query --search "$1" "$1/*" 2>/dev/null | sed 's/^[^/]*: //' >"$state/listed" || true
	find "$1" -depth | grep -vxFf "$state/listed" | while IFS= read -r path; do
		if [ -d "$path" ] && ! [ -L "$path" ]; then
			rmdir "$path" 2>/dev/null || true
		else
			rm -f "$path"
		fi
	done
}

# accounts removes users and groups that were not there, unless a package that
# stays has made them. dpkg does nothing any more once a user that it was told to
# give files to is missing.
accounts() {
	for kind in user group; do
		of missing "$kind" | while read -r name package; do
			if stays "$package"; then continue; fi
			dpkg-statoverride --list | while read -r user group _ path; do
				case $kind:$name in
				user:"$user" | group:"$group") dpkg-statoverride --quiet --remove "$path" >&2 ;;
				esac
			done
			if [ "$kind" = user ]; then unskel "$name"; fi
			if ! getent "$(database "$kind")" "$name" >/dev/null; then continue; fi
			why=$("${kind}del" "$name" 2>&1) || echo "$kind $name: $why" | tr '\n' ' ' | sed 's/ *$/\n/'
		done
	done
}
database() {
	case $1 in
	user) echo passwd ;;
	*) echo group ;;
	esac
}
# unskel removes from a home what a new one has (useradd(8), SKEL).
unskel() {
	home=$(getent passwd "$1" | cut -d: -f6)
	of missing made | grep -qxF "$home" && [ -d "$home" ] || return 0
	find /etc/skel -depth -mindepth 1 -printf '%P\n' | while read -r name; do
		if [ -d "/etc/skel/$name" ]; then
			rmdir "$home/$name" 2>/dev/null || true
		elif cmp -s "/etc/skel/$name" "$home/$name"; then
			rm -f "$home/$name"
		fi
	done
}

units() {
	systemctl daemon-reload >&2
	cat "$before"/[0-9]*/units 2>/dev/null | while read -r unit enabled active; do
		known "$unit" || continue
		# Also where it is so already: links of an init script may not agree.
		case $enabled in
		enabled) systemctl enable --quiet "$unit" >&2 ;;
		masked) systemctl mask --quiet "$unit" >&2 ;;
		absent | disabled) systemctl disable --quiet "$unit" >&2 ;;
		esac
		# It goes with the unit that it is a part of.
		[ "$(systemctl show --property=RefuseManualStop --value "$unit")" = no ] || continue
		case $active in
		active) systemctl start "$unit" >&2 || echo "$unit: it ran before and does not start" ;;
		*) systemctl stop "$unit" >&2 ;;
		esac
	done
}

# directories removes those that we made, while they are empty.
directories() {
	of missing made | sort -r | while read -r path; do
		if ! [ -d "$path" ] || rmdir "$path" 2>/dev/null; then continue; fi
		case ${stays:-} in
		"$path"/*) continue ;; # said of what is in it
		esac
		stays=$path
		echo "$path: it is not empty"
	done
}

halt
undo
files
mend "$4"
purge "$state"
reinstall "$state" "$4"
files
accounts
units
directories
of list tree | while read -r path package; do
	if stays "$package" && [ -e "$path" ]; then echo "$path: it belongs to package $package, which stays"; fi
done
sync -f "$state"
mv "$before" "$state/gone"
forget "$state"
