# A node of the cluster as Corosync knows it: its id never changes.
type Sirikata::Member = Struct[{
  id      => Integer[1],
  name    => Sirikata::Name,
  address => Sirikata::Address,
}]
