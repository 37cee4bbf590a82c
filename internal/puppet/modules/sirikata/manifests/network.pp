# @summary The network between the cluster's nodes.
class sirikata::network {
  $program = '/usr/lib/sirikata-cluster/quick-acks'

  file {
    default:
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      require => File['/etc/sirikata-cluster/hosts'],
      ;
    $program:
      mode    => '0755',
      content => file('sirikata/quick-acks'),
      ;
    '/etc/systemd/system/cluster-network.service':
      mode    => '0644',
      content => file('sirikata/cluster-network.service'),
  }
  ~> exec { $program:
    command => [$program],
    unless  => [[$program, '--check']],
  }
  -> service { 'cluster-network':
    enable => true,
  }
}
