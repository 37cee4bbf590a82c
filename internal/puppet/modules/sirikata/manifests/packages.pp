# @summary Debian's packages of Corosync and Pacemaker, without starting them.
#
# Debian starts what it installs. Here that would be before the other nodes are
# ready, and Pacemaker would make a configuration of its own. So the units are
# masked while a package is missing; at run time only, so that a run that is
# killed leaves nothing that outlives a reboot.
#
# Not by package resources: on every node whose packages are there, which is
# nearly always, they alone cost 0.7 s of the 3.1 s of CPU that a run takes, as
# the type loads all its providers and lists all that is installed.
class sirikata::packages {
  $packages = ['corosync', 'pacemaker', 'pacemaker-cli-utils']
  $units = ['corosync.service', 'pacemaker.service']

  exec {
    default:
      # Each package that is wholly installed has a line with "i" as its second
      # character (dpkg-query(1)); the first is what is wanted: installed, held.
      unless      => "test $(dpkg-query -W -f '\${db:Status-Abbrev}\\n' ${packages.join(' ')} | grep -c '^.i') = ${packages.length}",
      environment => ['DEBIAN_FRONTEND=noninteractive'],
      path        => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
      timeout     => 1800,
      ;
    'mask cluster units':
      command => ['systemctl', 'mask', '--runtime'] + $units,
      ;
    'update package lists':
      command   => ['apt-get', '--quiet', 'update'],
      # A fresh cloud image may be updating itself.
      tries     => 12,
      try_sleep => 5,
      ;
    'install cluster packages':
      command => [
        'apt-get', '--quiet', '--yes', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120',
        # Corosync's file is there already, and ours.
        '-o', 'Dpkg::Options::=--force-confold',
        'install',
      ] + $packages,
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
