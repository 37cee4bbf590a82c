# Installs Puppet where it is missing; follows record.sh. What Debian enables and
# starts with it would ask for a master: the mark stays until that is undone.
mark=$1/before/puppet-is-new
if [ -e "$mark" ] || ! command -v puppet >/dev/null; then
	: >"$mark"
	systemctl mask --quiet --runtime puppet.service >&2
	umask 022 # for packages' scripts
	sh -c "$5" install-packages puppet-agent >&2
	systemctl unmask --quiet --runtime puppet.service >&2
	systemctl disable --quiet puppet.service >&2
	rm "$mark"
fi
