#!/bin/sh
# Runs on the unpacked packages: mmdebstrap gives it their root directory. Makes
# a node that boots fast and quietly, and starts nothing that Puppet and the
# cluster start later.
set -eu
root=$1

cp -R "$(dirname "$0")/files/." "$root/"

# Both of the packages that exclude each other: a node gets its role later. And sbd,
# which few hosts use.
mkdir -p "$root/usr/share/sirikata-cluster/packages"
(cd "$root/usr/share/sirikata-cluster/packages" &&
	APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq download pacemaker pacemaker-remote sbd)
# A node that loses power while packages are installed is made again.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/sirikata"

# What the cluster starts when it wants to. Not masked: it will be enabled.
for unit in corosync pacemaker puppet redis-server memcached mosquitto logd; do
	chroot "$root" systemctl disable "$unit.service" 2>/dev/null || true
done

# What a container has no use for.
for unit in \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer \
	getty.target console-getty.service systemd-logind.service \
	systemd-firstboot.service systemd-modules-load.service kmod-static-nodes.service \
	systemd-pstore.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
	systemd-repart.service systemd-random-seed.service systemd-sysctl.service \
	systemd-update-utmp.service systemd-update-utmp-runlevel.service \
	systemd-ask-password-console.path systemd-ask-password-wall.path \
	systemd-pcrphase.service systemd-pcrphase-sysinit.service \
	systemd-journald-audit.socket systemd-initctl.socket remote-fs.target \
	sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount \
	sys-kernel-tracing.mount dev-hugepages.mount; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
chroot "$root" systemctl set-default multi-user.target

# A password that matches nothing, yet does not count as locked: sshd refuses
# locked accounts.
chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash --password '*' sirikata

# What must differ from node to node.
rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

echo 'LANG=C.UTF-8' >"$root/etc/locale.conf"
cp "$root/etc/locale.conf" "$root/etc/default/locale"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/*.log
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
