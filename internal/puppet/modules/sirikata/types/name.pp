# The name of a cluster or of a node: a DNS name (RFC 1123), which cannot break
# out of the line it is written to.
type Sirikata::Name = Pattern[/\A[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\z/]
