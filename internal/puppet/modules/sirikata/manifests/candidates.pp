# @summary What gives services other nodes to run on for those that are offline.
#
# @param nodes_file
#   All nodes of the cluster and what they offer.
class sirikata::candidates (
  Sirikata::Nodes $nodes_file,
) {
  file {
    default:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      ;
    '/etc/sirikata-cluster/nodes.json':
      content => sirikata::to_json($nodes_file),
      ;
    '/etc/systemd/system/cluster-candidates.service':
      content => file('sirikata/cluster-candidates.service'),
      ;
    '/etc/systemd/system/cluster-candidates.timer':
      content => file('sirikata/cluster-candidates.timer'),
  }
  # Started together with Pacemaker.
  -> service { 'cluster-candidates.timer':
    enable => true,
  }
}
