# @summary The key with which full nodes and remote nodes know each other.
#
# @param key
#   The key of the cluster in base64, the same on all nodes.
class sirikata::remote_key (
  Sensitive[String[1]] $key,
) {
  # As Debian's pacemaker-common makes it; it also makes the user.
  file {
    default:
      owner   => 'root',
      group   => 'haclient',
      require => Exec['install cluster packages'],
      before  => Exec['unmask cluster units'],
      ;
    '/etc/pacemaker':
      ensure => directory,
      mode   => '0750',
      ;
    '/etc/pacemaker/authkey':
      ensure    => file,
      mode      => '0640',
      # Any bytes, so neither a text nor shown nor kept when it is replaced.
      content   => Sensitive(Binary($key.unwrap, '%B')),
      show_diff => false,
      backup    => false,
  }
}
