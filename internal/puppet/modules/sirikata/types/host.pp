# A node by its name and its address inside the cluster.
type Sirikata::Host = Struct[{
  name    => Sirikata::Name,
  address => Sirikata::Address,
}]
