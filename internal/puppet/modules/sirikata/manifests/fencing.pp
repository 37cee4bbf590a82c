# @summary How this node has others switched off that are lost.
#
# @param secret
#   What the fence agent proves itself with, in base64, where it needs that.
class sirikata::fencing (
  Optional[Sensitive[String[1]]] $secret = undef,
) {
  # Pacemaker finds a fence agent by its name.
  file { '/usr/sbin/fence_sirikata':
    ensure => link,
    target => '/usr/lib/sirikata-cluster/sirikata-node',
  }
  if $secret {
    file { '/etc/sirikata-cluster/fence.key':
      ensure    => file,
      owner     => 'root',
      group     => 'root',
      mode      => '0400',
      content   => Sensitive(Binary($secret.unwrap, '%B')),
      show_diff => false,
      backup    => false,
    }
  }
}
