# @summary What kills the services of a node that the cluster loses sight of, and
#   what brings the node's daemons back. For clusters without fencing; best effort.
#
# @param enabled
#   Whether the guard is started, together with Pacemaker.
class sirikata::guard (
  Boolean $enabled = true,
) {
  # What systemd starts again by itself. On a node of one role the files for the
  # other are of no effect.
  $restarted = {
    'corosync.service'         => 'sirikata/restart-corosync.conf',
    'pacemaker.service'        => 'sirikata/restart-pacemaker.conf',
    'pacemaker_remote.service' => 'sirikata/restart-pacemaker.conf',
  }
  $system = '/etc/systemd/system'

  File {
    owner  => 'root',
    group  => 'root',
    before => Exec['reload changed units'],
  }
  file { "${system}/cluster-guard.service":
    ensure  => file,
    mode    => '0644',
    content => file('sirikata/cluster-guard.service'),
  }
  file { '/usr/lib/sirikata-cluster/clear-shared-memory':
    ensure  => file,
    mode    => '0755',
    content => file('sirikata/clear-shared-memory'),
  }
  $restarted.each |$unit, $drop_in| {
    file { "${system}/${unit}.d":
      ensure => directory,
      mode   => '0755',
    }
    file { "${system}/${unit}.d/restart.conf":
      ensure  => file,
      mode    => '0644',
      content => file($drop_in),
    }
  }

  # What is loaded only; anything else is read when it is first needed. Not by
  # refresh: a run that was killed would not come back to it.
  exec { 'reload changed units':
    command => ['systemctl', 'daemon-reload'],
    onlyif  => "systemctl show --property=NeedDaemonReload --value cluster-guard.service ${restarted.keys.join(' ')} | grep -qx yes",
    path    => ['/usr/bin', '/bin'],
  }
  -> service { 'cluster-guard':
    enable => $enabled,
  }
}
