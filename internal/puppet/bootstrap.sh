# Installs Puppet where it is missing; follows record.sh. What Debian enables and
# starts with it would ask for a master: the mark stays until that is undone.
mark=$1/before/puppet-is-new
if [ -e "$mark" ] || ! command -v puppet >/dev/null; then
	: >"$mark"
	systemctl mask --quiet --runtime puppet.service >&2
	umask 022 # for packages' scripts
	sh -c "$5" install-packages puppet-agent >&2 || {
		code=$?
		systemctl unmask --quiet --runtime puppet.service >&2
		# Refused, and nothing was installed before: so nothing is changed.
		if [ "$code" = 69 ] && ! [ -s "$1/before/packages" ]; then
			mv "$1/before" "$1/gone"
			forget "$1"
		fi
		exit "$code"
	}
	systemctl unmask --quiet --runtime puppet.service >&2
	systemctl disable --quiet puppet.service >&2
	rm "$mark"
fi
