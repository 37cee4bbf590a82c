# @summary The names of the cluster's nodes resolve on this node.
#
# @param hosts
#   All nodes of the cluster, this one included.
class sirikata::hosts (
  Array[Sirikata::Host, 1] $hosts,
) {
  $update = '/usr/lib/sirikata-cluster/update-hosts'

  file {
    default:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      ;
    '/etc/sirikata-cluster/hosts':
      content => epp('sirikata/hosts.epp', { 'hosts' => $hosts }),
      ;
    $update:
      mode    => '0755',
      content => file('sirikata/update-hosts'),
      ;
    '/etc/systemd/system/cluster-hosts.service':
      content => file('sirikata/cluster-hosts.service'),
  }
  ~> exec { $update:
    command => [$update],
    unless  => [[$update, '--check']],
  }
  -> service { 'cluster-hosts':
    enable => true,
  }
}
