# @summary sbd, where the node's own watchdog switches it off when the cluster has
#   lost it. Without a watchdog nothing of it is touched.
#
# @param watchdog
#   The device.
# @param timeout_seconds
#   For how long sbd may not keep it alive.
# @param delay_seconds
#   For how long sbd waits before it starts, and Pacemaker with it.
class sirikata::sbd (
  Optional[Sirikata::Path] $watchdog = undef,
  Integer[1]               $timeout_seconds = 5,
  Integer[2]               $delay_seconds = 10,
) {
  if $watchdog {
    file { '/etc/default/sbd':
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => epp('sirikata/sbd.epp', {
          'watchdog'        => $watchdog,
          'timeout_seconds' => $timeout_seconds,
          'delay_seconds'   => $delay_seconds,
      }),
      # Before the package, which asks no questions then.
      before  => Exec['install cluster packages'],
    }
    # Corosync and Pacemaker require it (sbd(8)). Only full nodes have it.
    service {
      default:
        require => Exec['install cluster packages'],
        ;
      'sbd.service':
        enable => true,
        ;
      'sbd_remote.service':
        enable => false,
    }
  }
}
