# What a node knows of itself: cluster.NodeFile of the Go program, key by key.
type Sirikata::Node = Struct[{
  cluster        => Sirikata::Name,
  name           => Sirikata::Name,
  role           => Sirikata::Role,
  fqdn           => String,
  service_user   => String[1],
  working_path   => Sirikata::Path,
  workspace_path => Sirikata::Path,
  sirikata_path  => Sirikata::Path,
  capabilities   => Array[String[1]],
}]
