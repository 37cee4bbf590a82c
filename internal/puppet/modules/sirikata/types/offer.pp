# What a node offers to services.
type Sirikata::Offer = Struct[{
  name         => Sirikata::Name,
  capabilities => Array[String[1]],
}]
