# What a full node knows of all nodes: cluster.NodesFile of the Go program, key by key.
type Sirikata::Nodes = Struct[{
  cluster => Sirikata::Name,
  nodes   => Array[Sirikata::Offer, 1],
}]
