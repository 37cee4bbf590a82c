# @summary A node of a Sirikata cluster: configured, but not started.
#
# The daemons are started by sirikata-cluster, on all nodes at the same moment,
# and it makes them read a changed configuration, once for the whole cluster.
#
# @param role
#   A full node votes and runs the whole of Pacemaker on Corosync; a remote node
#   only runs what full nodes tell it to.
class sirikata (
  Sirikata::Role $role,
) {
  contain sirikata::node
  contain sirikata::hosts
  contain sirikata::network
  contain sirikata::defaults
  contain sirikata::sbd
  contain sirikata::packages
  contain sirikata::remote_key
  contain sirikata::fencing
  contain sirikata::guard
  case $role {
    'full': {
      contain sirikata::corosync
      contain sirikata::pacemaker
      contain sirikata::candidates
    }
    default: {
      contain sirikata::remote
    }
  }
}
