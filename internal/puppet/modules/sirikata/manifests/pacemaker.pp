# @summary Pacemaker: which node runs what. Its configuration is the cluster's
#   own; only the very first one comes from here.
#
# @param first_cib
#   The configuration (CIB) of a cluster that never ran, as XML. It never
#   replaces one. A node that joins has none: it gets the cluster's.
class sirikata::pacemaker (
  Optional[String[1]] $first_cib = undef,
) {
  # As Debian's pacemaker-common makes it; it also makes the user.
  file { '/var/lib/pacemaker/cib':
    ensure  => directory,
    owner   => 'hacluster',
    group   => 'haclient',
    mode    => '0750',
    require => Exec['install cluster packages'],
  }
  if $first_cib {
    file { '/var/lib/pacemaker/cib/cib.xml':
      ensure  => file,
      owner   => 'hacluster',
      group   => 'haclient',
      mode    => '0600',
      content => $first_cib,
      replace => false,
      # As long as it is missing, Pacemaker must not start.
      before  => Exec['unmask cluster units'],
    }
  }
}
