# Part of restore.sh: packages. $1 of each is our state.

# ours prints our packages that are there: name, state before us, state now.
ours() {
	own=$(dpkg --print-architecture)
	dpkg-query -W -f '${binary:Package} ${db:Status-Abbrev}\n' | sed "s/:$own / /" |
		awk 'FILENAME == ARGV[1] { was[$1] = $2; next } $1 in was && $2 !~ /^.n/ { print $1, was[$1], substr($2, 2, 1) }' \
			"$1/before/packages" -
}

# simulate has apt say what it would remove, by name. In a pipe its failure would be
# lost.
simulate() {
	work=$1/purge
	shift
	apt-get --simulate "$@" >"$work/said"
	sed -nE 's/^(Remv|Purg) ([^ ]+).*/\2/p' "$work/said" | sort -u
}

# unneeded prints those of the packages in the list $2, of ours, that no other
# needs. apt finds them, with marks of our own: these alone count as installed
# automatically.
unneeded() {
	work=$1/purge
	[ -s "$2" ] || return 0
	marks="Dir::State::extended_states=$work/marks"
	: >"$work/marks"
	# shellcheck disable=SC2046 # words
	apt-mark -o "$marks" auto $(cat "$2") >/dev/null
	simulate "$1" -o "$marks" -o APT::AutoRemove::RecommendsImportant=false -o APT::AutoRemove::SuggestsImportant=false autoremove
}

# taken prints how it shows that Puppet is somebody else's by now, if it is:
# bootstrap.sh disables its service, and it makes no certificates for us.
taken() {
	grep -qx puppet-agent "$1/purge/there" || return 0
	if ! [ -e "$1/before/puppet-is-new" ] && [ "$(systemctl is-enabled puppet.service 2>/dev/null || true)" = enabled ]; then
		echo "puppet.service is enabled"
	elif [ -n "$(find /var/lib/puppet/ssl -name '*.pem' 2>/dev/null)" ]; then
		echo "/var/lib/puppet/ssl has certificates"
	fi
}

# purge removes our packages, but for those that something of the host's needs by
# now, and a Puppet that is taken, with what it needs itself.
purge() {
	if ! [ -s "$1/before/packages" ]; then return; fi
	work=$1/purge
	rm -rf "$work"
	mkdir "$work"
	ours "$1" >"$work/ours"
	awk '$3 != "c" { print $1 }' "$work/ours" | sort >"$work/there"
	unneeded "$1" "$work/there" >"$work/unneeded"
	comm -23 "$work/there" "$work/unneeded" >"$work/needed"
	taken=$(taken "$1")
	if [ -n "$taken" ]; then
		grep -vx puppet-agent "$work/there" >"$work/others" || true
		unneeded "$1" "$work/others" >"$work/unneeded"
	fi
	comm -23 "$work/there" "$work/unneeded" >"$work/kept"
	awk 'FILENAME == ARGV[1] { kept[$1]; next } !($1 in kept) && $2 == "n" { print $1 }' "$work/kept" "$work/ours" >"$work/purge"
	awk 'FILENAME == ARGV[1] { kept[$1]; next } !($1 in kept) && $2 == "c" && $3 != "c" { print $1 }' "$work/kept" "$work/ours" >"$work/remove"
	for how in purge remove; do
		[ -s "$work/$how" ] || continue
		# shellcheck disable=SC2046 # words
		apt-get --quiet --yes -o DPkg::Lock::Timeout=120 -o APT::Get::AutomaticRemove=false "$how" $(cat "$work/$how") >&2
	done
	if [ -n "$(comm -23 "$work/kept" "$work/needed")" ]; then
		echo "packages $(comm -23 "$work/kept" "$work/needed" | paste -sd' '): Puppet is used by somebody else: $taken"
	fi
	if [ -s "$work/needed" ]; then
		# shellcheck disable=SC2046 # words
		simulate "$1" remove $(cat "$work/needed") >"$work/needing"
		echo "packages $(paste -sd' ' "$work/needed"): needed by $(comm -23 "$work/needing" "$work/there" | paste -sd' ')"
	fi
}

# mend ends what was interrupted: install-packages does so first. $1: that script.
mend() { sh -c "$1" install-packages --unrecorded >&2 </dev/null; }

# reinstall brings back packages that had to go for ours. $2: install-packages.
reinstall() {
	[ -s "$1/before/removed" ] || return 0
	gone=$(awk 'FILENAME == ARGV[1] { ours[$1]; next } !($1 in ours) { print $1 }' "$1/before/packages" "$1/before/removed")
	missing=
	for name in $gone; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
		?i*) ;;
		*) missing="$missing $name" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # words
	sh -c "$2" install-packages --unrecorded $missing >&2 </dev/null ||
		echo "packages$missing: they were removed for the cluster's, and cannot be installed again"
}
