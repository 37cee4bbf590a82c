# @summary A full node of a Sirikata cluster: configured, but not started.
#
# The daemons are started by sirikata-cluster, on all nodes at the same moment,
# and it makes them read a changed configuration, once for the whole cluster.
#
# @param cluster
#   The name of the cluster.
# @param members
#   The nodes of the cluster, this one included.
class sirikata (
  Sirikata::Name             $cluster,
  Array[Sirikata::Member, 1] $members,
) {
  contain sirikata::node
  contain sirikata::hosts
  contain sirikata::packages
  contain sirikata::corosync
  contain sirikata::pacemaker
  contain sirikata::guard
}
