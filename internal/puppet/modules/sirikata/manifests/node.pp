# @summary What the node agent needs: its node file, its user, its directories.
#
# @param node_file
#   What the node knows of itself.
class sirikata::node (
  Sirikata::Node $node_file,
) {
  $program = '/usr/lib/sirikata-cluster/sirikata-node'

  file { ['/etc/sirikata-cluster', '/usr/lib/sirikata-cluster']:
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }
  file { '/etc/sirikata-cluster/node.json':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => sirikata::to_json($node_file),
  }

  # Pacemaker finds an agent by its directory (provider) and file name (type).
  file { ['/usr/lib/ocf', '/usr/lib/ocf/resource.d', '/usr/lib/ocf/resource.d/sirikata']:
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }
  file { '/usr/lib/ocf/resource.d/sirikata/service':
    ensure => link,
    target => $program,
  }

  # Any other user is the host's own, and must be there.
  $user = $node_file['service_user']
  if $user == 'sirikata' {
    user { $user:
      ensure     => present,
      system     => true,
      managehome => true,
    }
  }

  # Only what is missing is made: what exists may be anybody's, and a file
  # resource would take it over. Sorted, a parent comes before what is in it.
  $directories = ['sirikata_path', 'working_path', 'workspace_path'].map |$key| { $node_file[$key] }
  $directories.unique.sort.each |$directory| {
    exec { "make ${directory}":
      command => ['/bin/sh', '-c', 'group=$(id -gn "$1") && install -d -o "$1" -g "$group" "$2"', 'sh', $user, $directory],
      creates => $directory,
    }
  }
}
