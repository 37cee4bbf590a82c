# @summary A remote node: it runs what the full nodes tell it to, and has nothing
#   of the cluster's own. What is left of a time as a full node is removed: a
#   Corosync that starts with it would be a cluster of its own, and a
#   configuration of that time could replace the cluster's.
class sirikata::remote {
  file { [
      '/etc/corosync/corosync.conf',
      '/etc/corosync/authkey',
      '/var/lib/pacemaker/cib',
    ]:
      ensure  => absent,
      force   => true,
      recurse => true,
      backup  => false,
      require => Exec['install cluster packages'],
      before  => Exec['unmask cluster units'],
  }
}
