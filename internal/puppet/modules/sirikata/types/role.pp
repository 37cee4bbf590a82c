# What a node does for the cluster besides running services.
type Sirikata::Role = Enum['full', 'remote']
