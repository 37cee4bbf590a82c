# @summary Debian's packages of Corosync and Pacemaker, without starting them.
#
# Debian starts what it installs. Here that would be before the other nodes are
# ready, and Pacemaker would make a configuration of its own. So the units are
# masked while a package is missing; at run time only, so that a run that is
# killed leaves nothing behind a reboot. Where a host starts them all the same,
# their files are there first (see the other classes), and are kept.
class sirikata::packages {
  $packages = ['corosync', 'pacemaker-common', 'pacemaker', 'pacemaker-cli-utils']
  $units = ['corosync.service', 'pacemaker.service']

  exec {
    default:
      # One line "ii" for each package that is wholly installed.
      unless => "test $(dpkg-query -W -f '\${db:Status-Abbrev}\\n' ${packages.join(' ')} | grep -c '^ii') = ${packages.length}",
      path   => ['/usr/bin', '/bin'],
      ;
    'mask cluster units':
      command => ['systemctl', 'mask', '--runtime'] + $units,
      ;
    'update package lists':
      command => ['apt-get', '-o', 'DPkg::Lock::Timeout=120', 'update'],
  }
  -> package { $packages:
    ensure          => installed,
    install_options => [
      '--no-install-recommends',
      # The files that are there are ours: Corosync's comes before its package.
      '-o', 'Dpkg::Options::=--force-confold',
      # A fresh cloud image may be updating itself.
      '-o', 'DPkg::Lock::Timeout=120',
    ],
  }
  -> exec { 'unmask cluster units':
    command => ['systemctl', 'unmask', '--runtime'] + $units,
    onlyif  => 'test -L /run/systemd/system/corosync.service -o -L /run/systemd/system/pacemaker.service',
    path    => ['/usr/bin', '/bin'],
  }
  # Not started, and not restarted when their files change: see sirikata.
  -> service { $units:
    enable => true,
  }
}
