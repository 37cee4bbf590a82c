# @summary Pacemaker: which node runs what. Its configuration is the cluster's
#   own; only the very first one comes from here.
#
# @param first_cib
#   The configuration (CIB) of a cluster that never ran, as XML. It never
#   replaces one. A node that joins has none: it gets the cluster's.
class sirikata::pacemaker (
  Optional[String[1]] $first_cib = undef,
) {
  # As Debian's pacemaker-common makes them; it also makes the user.
  file { '/var/lib/pacemaker/cib':
    ensure  => directory,
    owner   => 'hacluster',
    group   => 'haclient',
    mode    => '0750',
    require => Package['pacemaker-common'],
    before  => Package['pacemaker'],
  }
  if $first_cib {
    file { '/var/lib/pacemaker/cib/cib.xml':
      ensure  => file,
      owner   => 'hacluster',
      group   => 'haclient',
      mode    => '0600',
      content => $first_cib,
      replace => false,
      before  => Package['pacemaker'],
    }
  }
}
