# @summary Debian's packages of the cluster's daemons, without starting them.
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
  $sbd = $sirikata::sbd::watchdog ? {
    undef   => [],
    default => ['sbd'],
  }
  # Debian has Pacemaker whole, or as a remote node needs it, but not both.
  case $sirikata::role {
    'full': {
      $packages = ['corosync', 'pacemaker', 'pacemaker-cli-utils'] + $sbd
      $units = ['corosync.service', 'pacemaker.service']
      $others = ['pacemaker_remote.service']
    }
    default: {
      $packages = ['pacemaker-remote', 'pacemaker-cli-utils']
      $units = ['pacemaker_remote.service']
      $others = ['corosync.service', 'pacemaker.service']
    }
  }
  $masks = $units.map |$unit| { "-L /run/systemd/system/${unit}" }

  exec {
    default:
      # Each package that is wholly installed has a line with "i" as its second
      # character (dpkg-query(1)); the first is what is wanted: installed, held.
      unless  => "test $(dpkg-query -W -f '\${db:Status-Abbrev}\\n' ${packages.join(' ')} | grep -c '^.i') = ${packages.length}",
      path    => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
      timeout => 1800,
      ;
    'mask cluster units':
      command => ['systemctl', 'mask', '--runtime'] + $units,
      ;
    'install cluster packages':
      command => ['/bin/sh', '-c', file('sirikata/install-packages'), 'install-packages'] + $packages,
  }
  -> exec { 'unmask cluster units':
    command => ['systemctl', 'unmask', '--runtime'] + $units,
    onlyif  => "test ${masks.join(' -o ')}",
    path    => ['/usr/bin', '/bin'],
  }
  # Not started, and not restarted when their files change: see sirikata.
  -> service {
    $units:
      enable => true,
      ;
    $others:
      enable => false,
  }
}
