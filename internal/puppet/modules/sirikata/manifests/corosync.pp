# @summary Corosync: who is a member of the cluster, and whether it has quorum.
#
# @param cluster
#   The name of the cluster.
# @param members
#   The full nodes of the cluster, this one included.
# @param token_milliseconds
#   How long a node may be silent (corosync.conf(5), token).
# @param two_node
#   Whether the cluster has exactly two nodes (votequorum(5)).
# @param realtime
#   Whether Corosync runs with real-time priority (corosync.conf(5), sched_rr).
# @param authkey
#   The key of the cluster in base64, the same on all nodes.
class sirikata::corosync (
  Sirikata::Name             $cluster,
  Array[Sirikata::Member, 1] $members,
  Integer[1]                 $token_milliseconds,
  Boolean                    $two_node,
  Boolean                    $realtime,
  Sensitive[String[1]]       $authkey,
) {
  file {
    default:
      owner  => 'root',
      group  => 'root',
      # Before the package: if anything starts Corosync with Debian's example, it
      # is a cluster of its own.
      before => Exec['install cluster packages'],
      ;
    '/etc/corosync':
      ensure => directory,
      mode   => '0755',
      ;
    '/etc/corosync/corosync.conf':
      ensure  => file,
      mode    => '0644',
      content => epp('sirikata/corosync.conf.epp', {
          'cluster'            => $cluster,
          'members'            => $members,
          'token_milliseconds' => $token_milliseconds,
          'two_node'           => $two_node,
          'realtime'           => $realtime,
      }),
      ;
    '/etc/corosync/authkey':
      ensure    => file,
      mode      => '0400',
      # Any bytes, so neither a text nor shown nor kept when it is replaced.
      content   => Sensitive(Binary($authkey.unwrap, '%B')),
      show_diff => false,
      backup    => false,
  }
}
